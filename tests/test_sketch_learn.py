"""learn: gradients by finite differences, what training reaches, how it ends."""

import numpy as np
import pytest
import scipy.sparse as sp

from fastbutterfly import nn, sketch
from fastbutterfly.sketch.models import MODELS, make
from fastbutterfly.sketch.training import LearningRun, Stacks

METRICS = ("squared", "norm", "relative")
KINDS = ("butterfly", "sparse", "dense")


def batch(rng, n=20, count=8, widths=(12,)):
    """Matrices that have a few directions in common."""
    base = rng.standard_normal((n, 3))
    widths = [widths[i % len(widths)] for i in range(count)]
    return [
        base @ rng.standard_normal((3, d)) + 0.3 * rng.standard_normal((n, d))
        for d in widths
    ]


def tail(X, k):
    """Squared error of X_k."""
    return np.square(np.linalg.svd(X, compute_uv=False)[k:]).sum()


def error(Xs, S, k, metric):
    """Mean error, with the projector onto the rows of S X from a pseudo-inverse."""
    values = []
    for X in Xs:
        XP = X @ np.linalg.pinv(S @ X, rcond=1e-12) @ (S @ X)
        squared, least = np.square(X - XP).sum() + tail(XP, k), tail(X, k)
        values.append((squared, squared**0.5, (squared / least) ** 0.5))
    return np.mean(values, axis=0)[METRICS.index(metric)]


def excess(Xs, S, k, metric):
    """By how much the mean error is more than the least."""
    return error(Xs, S, k, metric) - error(Xs, np.eye(S.shape[1]), k, metric)


def start(Xs, kind, l=4, **options):
    """The sketch before training."""
    return sketch.learn(Xs, l, 2, kind=kind, steps=0, rng=0, **options).sketch


class Recorder(nn.SGD):
    """Keeps the gradients that it is given, and does nothing else."""

    def __init__(self):
        super().__init__(0.0)
        self.seen = []

    def update(self, parameters, gradient, state):
        self.seen.append(gradient.copy())


class TestGradient:
    @pytest.mark.parametrize("append", [0, 3])
    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("kind", [*KINDS, "sparse 3"])
    @pytest.mark.parametrize("n", [16, 20])
    def test_of_a_step(self, rng, kind, metric, append, n):
        Xs = batch(rng, n, 5, (12, 7, 30))
        kind, nonzeros = kind.split()[0], 3 if "3" in kind else 1
        model = make(MODELS[kind], 4, n, rng, nonzeros)
        below = [sketch.count_sketch(append, n, rng=rng)] if append else []
        recorder = Recorder()
        run = LearningRun(model, recorder, below, 2, metric, None, None)
        run.step(
            Stacks(Xs, 2, metric).take(range(5)), 5, recorder.init(model.parameters)
        )
        gradient, p, h = recorder.seen[0], model.parameters.copy(), 1e-6

        def value():
            return error(Xs, run.sketch().to_dense(), 2, metric)

        assert run.learned.losses == pytest.approx([value()], rel=1e-9)
        for u in rng.standard_normal((4, p.size)):
            slopes = []
            for step in (h, -h):
                model.parameters[...] = p + step * u
                slopes.append(value() / (2 * h))
            scale = np.linalg.norm(gradient) * np.linalg.norm(u)
            assert abs(slopes[0] - slopes[1] - gradient @ u) < 1e-6 * scale

    def test_of_sparse_ones_by_blocks(self, rng):
        model = make(MODELS["sparse"], 30, 200, rng, 20)
        rows, g = rng.standard_normal((1200, 200)), rng.standard_normal((1200, 30))
        place = model.sketch().operator.tocoo()
        for count in (1200, 3):  # products that are too many to be kept, or not
            actual = model.gradient(rows[:count], g[:count])
            expected = (g[:count].T @ rows[:count])[place.row, place.col]
            np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9)


class TestTraining:
    @pytest.mark.parametrize("metric", METRICS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_losses_fall(self, rng, kind, metric):
        Xs = batch(rng, widths=(12, 9, 25))
        options = {"kind": kind, "metric": metric, "rng": 0}
        found = sketch.learn(Xs, 4, 2, steps=150, **options)
        assert len(found.losses) == 150
        before = start(Xs, kind, metric=metric).to_dense()
        assert found.losses[0] == pytest.approx(error(Xs, before, 2, metric), rel=1e-9)
        after = excess(Xs, found.sketch.to_dense(), 2, metric)
        limit = 0.8 if kind == "sparse" else 0.5
        assert after < limit * excess(Xs, before, 2, metric)
        assert after == pytest.approx(sketch.excess(Xs, found.sketch, 2, metric=metric))
        assert found.sketch.shape == (4, 20)
        assert (found.validation, found.interrupted) == ([], False)

    def test_dense_comes_close_to_the_optimal(self, rng):
        Xs = batch(rng)
        found = sketch.learn(Xs, 4, 2, kind="dense", steps=400, rng=0)
        least = error(Xs, sketch.optimal(Xs, 4).to_dense(), 2, "norm")
        assert found.losses[-1] - least < 0.01 * (found.losses[0] - least)

    @pytest.mark.parametrize("nonzeros", [1, 3])
    def test_places_of_a_sparse_one_stay(self, rng, nonzeros):
        Xs, options = batch(rng), {"kind": "sparse", "nonzeros": nonzeros}
        before, after = (
            sketch.learn(Xs, 4, 2, steps=steps, rng=0, **options).sketch.operator
            for steps in (0, 20)
        )
        np.testing.assert_array_equal(before.indices, after.indices)
        np.testing.assert_array_equal(np.diff(after.indptr), nonzeros)
        assert np.all(before.data != after.data)

    @pytest.mark.parametrize("kind", KINDS)
    def test_starts(self, rng, kind):
        found = start(batch(rng), kind).to_dense()
        drawn = {"butterfly": "fjlt", "sparse": "count_sketch", "dense": "gaussian"}
        expected = getattr(sketch, drawn[kind])(4, 20, rng=0).to_dense()
        scale = np.linalg.norm(expected) / np.linalg.norm(found)
        np.testing.assert_allclose(scale * found, expected, atol=1e-12)

    @pytest.mark.parametrize("kind", KINDS)
    def test_same_rng_same_bits(self, rng, kind):
        Xs, options = batch(rng), {"kind": kind, "steps": 15, "batch_size": 3}
        a, b, c = (sketch.learn(Xs, 4, 2, rng=i, **options) for i in (0, 0, 1))
        assert a.losses == b.losses != c.losses
        np.testing.assert_array_equal(a.sketch.to_dense(), b.sketch.to_dense())

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("form", [sp.csr_array, sp.coo_matrix, np.ndarray.tolist])
    def test_forms_of_matrices(self, rng, form, kind):
        Xs = [np.round(X, 1) for X in batch(rng, widths=(9, 12))]
        options = {"kind": kind, "steps": 10, "rng": 0, "every": 4}
        expected = sketch.learn(Xs, 4, 2, validation=Xs[:3], **options)
        Xs = [form(X) for X in Xs]
        found = sketch.learn(Xs, 4, 2, validation=Xs[:3], **options)
        assert found.losses == pytest.approx(expected.losses, rel=1e-7)
        steps, values = zip(*found.validation, strict=True)
        assert steps == (0, 4, 8, 10)
        expected = [value for _, value in expected.validation]
        assert values == pytest.approx(expected, rel=1e-7)

    def test_each_matrix_counts_once_in_a_round(self, rng):
        Xs, recorder = batch(rng, count=6, widths=(12, 9)), Recorder()
        options = {"batch_size": 2, "optimizer": recorder, "steps": 6, "rng": 0}
        found = sketch.learn(Xs, 4, 2, metric="squared", **options)
        expected = error(Xs, found.sketch.to_dense(), 2, "squared")
        for part in (found.losses[:3], found.losses[3:]):
            assert np.mean(part) == pytest.approx(expected, rel=1e-9)
        whole = sketch.learn(Xs, 4, 2, **{**options, "batch_size": 99, "steps": 1})
        assert len(whole.losses) == 1

    def test_float32_is_computed_in_double_precision(self, rng):
        base = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 12))
        Xs = [(base + 1e-4 * X).astype(np.float32) for X in batch(rng, count=3)]
        found = sketch.learn(Xs, 4, 2, metric="relative", steps=1, rng=0)
        before = start(Xs, "butterfly").to_dense()
        expected = error([X.astype(float) for X in Xs], before, 2, "relative")
        assert found.losses == pytest.approx([expected], rel=1e-5)

    @pytest.mark.parametrize("metric", ["squared", "norm"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_matrices_without_an_error_do_no_harm(self, rng, kind, metric):
        Xs, spike = batch(rng, count=3), np.zeros((20, 12))
        spike[3, 4] = 1
        product = rng.standard_normal((20, 2)) @ rng.standard_normal((2, 12))
        others = [np.zeros((20, 12)), spike, 9 * np.ones((20, 2)), product]
        options = {"kind": kind, "metric": metric, "steps": 60, "rng": 0}
        alone = sketch.learn(Xs, 4, 2, **options)
        found = sketch.learn(Xs + others, 4, 2, **options)
        expected = 3 / 7 * np.array(alone.losses)
        np.testing.assert_allclose(found.losses, expected, rtol=1e-3)
        assert found.losses[-1] < found.losses[0]


class TestAppend:
    @pytest.mark.parametrize("kind", KINDS)
    def test_rows_below_stay(self, rng, kind):
        Xs, options = batch(rng), {"kind": kind, "append": 5, "rng": 0}
        before, after = (
            sketch.learn(Xs, 4, 2, steps=n, **options).sketch.to_dense() for n in (0, 9)
        )
        assert after.shape == (9, 20)
        np.testing.assert_array_equal(before[4:], after[4:])
        assert not np.array_equal(before[:4], after[:4])
        np.testing.assert_array_equal(np.abs(after[4:]).sum(axis=0), 1)
        assert set(np.unique(after[4:])) == {-1, 0, 1}

    def test_is_no_worse_than_the_rows_alone(self, rng):
        found = sketch.learn(batch(rng), 4, 2, append=5, steps=30, rng=0)
        others = [rng.standard_normal((20, d)) for d in (5, 10, 40)]
        S = found.sketch.to_dense()
        for X in others:
            together = excess([X], S, 2, "squared")
            assert together <= excess([X], S[4:], 2, "squared") + 1e-12
            assert together <= excess([X], S[:4], 2, "squared") + 1e-12

    def test_sparse_ones_stay_sparse(self, rng):
        found = sketch.learn(batch(rng), 4, 2, kind="sparse", append=5, steps=3, rng=0)
        assert sp.issparse(found.sketch.operator)
        assert found.sketch.n_weights == 40


class TestEnds:
    def test_the_best_is_returned(self, rng):
        Xs, seen = batch(rng), {}
        others = [*Xs[:2], *rng.standard_normal((9, 20, 12))]
        options = {"validation": others, "every": 3, "rng": 0, "steps": 20}
        options |= {"optimizer": nn.Adam(0.1), "kind": "dense"}
        found = sketch.learn(Xs, 4, 2, callback=seen.__setitem__, **options)
        steps, values = zip(*found.validation, strict=True)
        assert steps == (0, 3, 6, 9, 12, 15, 18, 20) == tuple(seen)
        best = steps[int(np.argmin(values))]
        assert best < 20
        np.testing.assert_array_equal(found.sketch.to_dense(), seen[best].to_dense())
        for S, value in zip(seen.values(), values, strict=True):
            expected = excess(others, S.to_dense(), 2, "norm")
            assert value == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("how", [True, False, None, KeyboardInterrupt])
    def test_by_a_callback(self, rng, how):
        seen = []

        def callback(step, S):
            seen.append((step, S.to_dense()))
            if step == 10 and how is KeyboardInterrupt:
                raise KeyboardInterrupt
            return how if step == 10 else None

        options = {"every": 5, "steps": 20, "rng": 0}
        found = sketch.learn(batch(rng), 4, 2, callback=callback, **options)
        ends = how is True or how is KeyboardInterrupt
        assert [step for step, _ in seen] == [0, 5, 10, 15, 20][: 3 if ends else 5]
        assert found.interrupted == (how is KeyboardInterrupt)
        assert len(found.losses) == seen[-1][0]
        np.testing.assert_array_equal(found.sketch.to_dense(), seen[-1][1])
        assert not np.array_equal(seen[0][1], seen[1][1])
        assert repr(found).startswith("Learned(Sketch(4, 20, Butterfly, float64), ")

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("lr", [1e307, 1.7e308])
    @pytest.mark.parametrize("validation", [True, False])
    def test_by_divergence(self, rng, kind, lr, validation):
        Xs = [100 * X for X in batch(rng)]
        options = {"kind": kind, "optimizer": nn.Adam(lr), "rng": 0, "every": 1}
        with pytest.raises(nn.DivergenceError, match="not finite at step") as caught:
            sketch.learn(Xs, 4, 2, validation=Xs if validation else None, **options)
        assert 1 <= caught.value.step < 1000


ERRORS = {
    "k above l": ({"k": 5}, ValueError, "l must be from k to n, 5 ... 20, got 4"),
    "l above n": ({"l": 21}, ValueError, "l must be from k to n, 2 ... 20, got 21"),
    "kind": ({"kind": "x"}, ValueError, "kind must be one of 'butterfly', 'sparse'"),
    "metric": ({"metric": "x"}, ValueError, "metric must be one of"),
    "nonzeros": (
        {"kind": "sparse", "nonzeros": 5},
        ValueError,
        "nonzeros must be at most l = 4, got 5",
    ),
    "steps": ({"steps": -1}, ValueError, "steps must be at least 0"),
    "every": ({"every": 0}, ValueError, "every must be at least 1"),
    "batch_size": ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    "append": ({"append": -1}, ValueError, "append must be at least 0"),
    "rng": ({"rng": "x"}, TypeError, "rng must be None"),
    "optimizer": ({"optimizer": nn.SGD}, TypeError, "optimizer must be an optimiser"),
    "callback": ({"callback": 1}, TypeError, "callback must be callable, got 1"),
    "none": ({"matrices": []}, ValueError, "matrices must hold at least one"),
    "nan": ({"matrices": [np.eye(9) * np.nan]}, ValueError, r"matrices\[0\] must be f"),
    "rows": ({"matrices": [np.eye(20), np.eye(9)]}, ValueError, "same number of rows"),
    "validation": (
        {"validation": np.eye(9)},
        ValueError,
        "validation must have 20 rows, as matrices, got 9",
    ),
    "relative": (
        {"matrices": [np.eye(20), np.ones((20, 9))], "metric": "relative"},
        ValueError,
        r"matrices\[1\] has no relative error",
    ),
    "no validation": ({"validation": ()}, ValueError, "validation must hold at least"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    changes, error, message = ERRORS[case]
    arguments = {"matrices": np.eye(20), "l": 4, "k": 2, "steps": 3, **changes}
    with pytest.raises(error, match=message):
        sketch.learn(**arguments)
