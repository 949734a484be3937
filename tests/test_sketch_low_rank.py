"""low_rank and excess, against the best approximation by dense projectors."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from fastbutterfly import sketch

METRICS = ("squared", "norm", "relative")


def data(rng, n=40, d=30, decay=0.8):
    """Of full rank, with singular values that decay."""
    U, _ = np.linalg.qr(rng.standard_normal((n, min(n, d))))
    V, _ = np.linalg.qr(rng.standard_normal((d, min(n, d))))
    return U * decay ** np.arange(min(n, d)) @ V.T


def truncate(X, k):
    """X_k."""
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return U[:, :k] * s[:k] @ Vt[:k]


def reference(X, S, k):
    """(X P)_k, with P the projector onto the rows of S X, by a pseudo-inverse."""
    A = S @ X
    return truncate(X @ (np.linalg.pinv(A, rcond=1e-12) @ A), k)


def approximation(X, S, k):
    U, s, Vt = sketch.low_rank(X, S, k)
    return U * s @ Vt


def draw(kind, l=8, n=40, rng=0):
    options = {"nonzeros": 3} if kind == "sparse" else {}
    return getattr(sketch, kind)(l, n, rng=rng, **options)


KINDS = ("fjlt", "gaussian", "count_sketch", "sparse")


class TestLowRank:
    @pytest.mark.parametrize("k", [1, 3, 8])
    @pytest.mark.parametrize("d", [30, 60, 9])
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_the_best_in_the_row_space(self, rng, kind, d, k):
        X, S = data(rng, d=d), draw(kind)
        found = sketch.low_rank(X, S, k)
        U, s, Vt = found
        assert (U.shape, s.shape, Vt.shape) == ((40, k), (k,), (k, d))
        np.testing.assert_allclose(U.T @ U, np.eye(k), atol=1e-12)
        np.testing.assert_allclose(Vt @ Vt.T, np.eye(k), atol=1e-12)
        assert np.all(np.diff(s) <= 0)
        assert np.all(s >= 0)
        expected = reference(X, S.to_dense(), k)
        np.testing.assert_allclose(U * s @ Vt, expected, atol=1e-9)
        assert type(found) is sketch.LowRank

    def test_no_other_is_better(self, rng):
        X, S = data(rng), draw("gaussian")
        A, least = S @ X, np.linalg.norm(X - approximation(X, S, 3))
        for eps in (1, 1e-2, 1e-4):
            U, s, Vt = sketch.low_rank(X, S, 3)
            U = U * s + eps * rng.standard_normal(U.shape)
            Vt = Vt + eps * rng.standard_normal((3, 8)) @ A
            assert np.linalg.norm(X - U @ Vt) > least
        assert least >= np.linalg.norm(X - truncate(X, 3)) * (1 - 1e-12)

    @pytest.mark.parametrize("kind", KINDS)
    def test_mixing_the_rows_changes_nothing(self, rng, kind):
        X, S = data(rng), draw(kind)
        expected = approximation(X, S, 3)
        for M in (rng.standard_normal((8, 8)), np.eye(8)[::-1], -5 * np.eye(8)):
            mixed = sketch.Sketch(M @ S.to_dense())
            np.testing.assert_allclose(approximation(X, mixed, 3), expected, atol=1e-8)

    @pytest.mark.parametrize("kind", KINDS)
    def test_permuting_rows_changes_nothing(self, rng, kind):
        X, S, order = data(rng), draw(kind), rng.permutation(40)
        permuted = sketch.Sketch(S.to_dense()[:, order])
        expected = approximation(X, S, 3)[order]
        actual = approximation(X[order], permuted, 3)
        np.testing.assert_allclose(actual, expected, atol=1e-9)
        for metric in METRICS:
            a = sketch.excess(X, S, 3, metric=metric)
            b = sketch.excess(X[order], permuted, 3, metric=metric)
            assert a == pytest.approx(b, rel=1e-8)

    def test_is_exact_where_the_row_space_suffices(self, rng):
        X = data(rng)
        U, _, _ = np.linalg.svd(X)
        rows = np.concatenate([U[:, :3].T, rng.standard_normal((2, 40))])
        S = sketch.Sketch(rng.standard_normal((5, 5)) @ rows)
        np.testing.assert_allclose(approximation(X, S, 3), truncate(X, 3), atol=1e-12)
        everything = draw("gaussian", 40)
        actual = approximation(X, everything, 7)
        np.testing.assert_allclose(actual, truncate(X, 7), atol=1e-9)

    @pytest.mark.parametrize("kind", KINDS)
    def test_recovers_low_rank(self, rng, kind):
        X = rng.standard_normal((40, 2)) @ rng.standard_normal((2, 30))
        U, s, Vt = sketch.low_rank(X, draw(kind), 5)
        np.testing.assert_allclose(U * s @ Vt, X, atol=1e-11)
        assert len(s) == 2

    def test_float32(self, rng):
        X = data(rng)
        for S in (draw("gaussian"), sketch.gaussian(8, 40, rng=0, dtype=np.float32)):
            U, s, Vt = sketch.low_rank(X.astype(np.float32), S, 3)
            expected = reference(X, S.to_dense().astype(float), 3)
            np.testing.assert_allclose(U * s @ Vt, expected, atol=1e-4)
        assert U.dtype == s.dtype == Vt.dtype == np.float32

    def test_of_any_operator(self, rng):
        X, S = data(rng), draw("fjlt")
        expected = approximation(X, S, 3)
        for other in (S.operator, S.to_dense(), S.operator.as_linear_operator()):
            np.testing.assert_allclose(approximation(X, other, 3), expected, atol=1e-12)
        found = approximation(sp.csr_array(X), sp.csr_array(S.to_dense()), 3)
        np.testing.assert_allclose(found, expected, atol=1e-12)


class TestRank:
    def test_empty_buckets(self, rng):
        for seed in range(5):
            X, S = data(rng, 40, 60, 0.95), draw("count_sketch", 40, rng=seed)
            assert not S.to_dense().any(axis=1).all()
            found = sketch.low_rank(X, S, 40)
            assert len(found.s) == np.linalg.matrix_rank(S.to_dense()) < 40
            expected = reference(X, S.to_dense(), 40)
            np.testing.assert_allclose(
                found.U * found.s @ found.Vt, expected, atol=1e-9
            )
            expected = reference(X, S.to_dense(), 4)
            np.testing.assert_allclose(approximation(X, S, 4), expected, atol=1e-9)

    def test_repeated_rows(self, rng):
        X, S = data(rng), draw("gaussian").to_dense()
        twice = sketch.Sketch(S[[0, 1, 2, 0, 1, 2, 3, 3, 3]])
        expected = reference(X, S[:4], 3)
        np.testing.assert_allclose(approximation(X, twice, 3), expected, atol=1e-10)
        assert len(sketch.low_rank(X, twice, 9).s) == 4

    @pytest.mark.parametrize("kind", KINDS)
    def test_zero(self, kind):
        X, S = np.zeros((40, 30)), draw(kind)
        U, s, Vt = sketch.low_rank(X, S, 3)
        assert (U.shape, s.shape, Vt.shape) == ((40, 0), (0,), (0, 30))
        np.testing.assert_array_equal(U * s @ Vt, X)
        assert sketch.excess(X, S, 3) == sketch.excess(X, S, 3, metric="norm") == 0

    @pytest.mark.parametrize(("d", "k"), [(30, 9), (30, 100), (5, 6), (1, 1), (1, 3)])
    def test_large_k(self, rng, d, k):
        X, S = data(rng, d=d), draw("gaussian")
        found = sketch.low_rank(X, S, k)
        assert len(found.s) == min(8, d) == found.U.shape[1] == found.Vt.shape[0]
        expected = reference(X, S.to_dense(), min(8, d))
        np.testing.assert_allclose(found.U * found.s @ found.Vt, expected, atol=1e-9)


FORMS = {
    "csr": sp.csr_array,
    "csc matrix": sp.csc_matrix,
    "coo": sp.coo_array,
    "ints": lambda X: X.astype(int),
    "F": np.asfortranarray,
    "list": np.ndarray.tolist,
}


class TestKindsOfMatrices:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("form", FORMS)
    def test_in_memory(self, rng, form, kind):
        X, S = rng.poisson(0.5, (40, 30)).astype(float), draw(kind)
        given = FORMS[form](X)
        expected = reference(X, S.to_dense(), 3)
        np.testing.assert_allclose(approximation(given, S, 3), expected, atol=1e-9)
        for metric in METRICS:
            expected = sketch.excess(X, S, 3, metric=metric)
            actual = sketch.excess([given], S, 3, metric=metric)
            assert actual == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("order", "CF")
    @pytest.mark.parametrize("dtype", [np.float64, np.int16])
    def test_on_disk(self, rng, tmp_path, monkeypatch, kind, order, dtype):
        monkeypatch.setattr("fastbutterfly.sketch.sketch.BLOCK", 64)
        X, S = (5 * rng.standard_normal((40, 30))).astype(dtype), draw(kind)
        mapped = np.memmap(tmp_path / "X", dtype, "w+", shape=X.shape, order=order)
        mapped[...] = X
        found = sketch.low_rank(mapped, S, 3)
        assert {type(part) for part in found} == {np.ndarray}
        expected = reference(X.astype(float), S.to_dense(), 3)
        np.testing.assert_allclose(found.U * found.s @ found.Vt, expected, atol=1e-9)
        actual = sketch.excess(mapped, S, 3)
        assert actual == pytest.approx(sketch.excess(X, S, 3), rel=1e-9)

    @pytest.mark.parametrize("dtype", [np.float32, np.int16])
    def test_large_ones_stay_on_disk(self, tmp_path, monkeypatch, dtype):
        monkeypatch.setattr("fastbutterfly.sketch.sketch.BLOCK", 1 << 14)
        X = mapped(tmp_path, np.ones((4096, 256), dtype))
        S = sketch.count_sketch(8, 4096, rng=0)
        tracemalloc.start()
        try:
            sketch.low_rank(X, S, 3)
            assert tracemalloc.get_traced_memory()[1] < X.size  # an eighth of it
        finally:
            tracemalloc.stop()


class TestExcess:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("metric", METRICS)
    def test_is_the_definition(self, rng, metric, kind):
        Xs, S, values = [data(rng, d=d) for d in (5, 30, 60)], draw(kind), []
        for X in Xs:
            error = np.linalg.norm(X - reference(X, S.to_dense(), 3))
            least = np.linalg.norm(X - truncate(X, 3))
            squared = error**2 - least**2
            values.append(
                {
                    "squared": squared,
                    "norm": error - least,
                    "relative": error / least - 1,
                }[metric]
            )
        actual = sketch.excess(Xs, S, 3, metric=metric)
        assert actual == pytest.approx(np.mean(values), rel=1e-8)
        assert actual > 0
        assert isinstance(actual, float)

    def test_more_rows_are_better(self, rng):
        X, S = data(rng), draw("gaussian", 20).to_dense()
        values = [sketch.excess(X, S[:count], 4) for count in range(4, 21)]
        assert np.all(np.diff(values) <= 1e-15)

    def test_relative_for_low_rank(self, rng):
        X, S = np.outer(np.ones(40), np.arange(5)), draw("fjlt")
        assert not sketch.excess(np.zeros((40, 3)), S, 1, metric="relative") <= 0
        assert abs(sketch.excess(X, S, 1, metric="norm")) < 1e-12

    def test_has_its_scale(self, rng):
        X, S = data(rng), draw("fjlt")
        for metric, power in zip(METRICS, (2, 1, 0), strict=True):
            expected = 10**power * sketch.excess(X, S, 3, metric=metric)
            actual = sketch.excess(10 * X, S, 3, metric=metric)
            assert actual == pytest.approx(expected, rel=1e-9)


def mapped(tmp_path, X):
    made = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape)
    made[...] = X
    return made


X = np.ones((40, 3))
ERRORS = {
    "vector": ({"X": X[:, 0]}, ValueError, r"X must be a matrix \(n, d\), got .*\(40,"),
    "empty": ({"X": X[:, :0]}, ValueError, r"X must be a matrix .* \(40, 0\)"),
    "nan": ({"X": np.nan * X}, ValueError, "must be finite"),
    "complex": ({"X": 1j * X}, TypeError, "X must hold real numbers"),
    "rows": ({"X": X[:9]}, ValueError, r"S must have shape \(l, 9\) .* got \(8, 40\)"),
    "k": ({"k": 0}, ValueError, "k must be at least 1, got 0"),
    "k kind": ({"k": 1.5}, TypeError, "k must be an int"),
    "S": ({"S": "x"}, ValueError, r"S must have shape \(l, 40\) .* got str"),
    "wide": ({"S": np.ones((2, 9))}, ValueError, r"S must have .* got \(2, 9\)"),
}


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("case", ERRORS)
def test_errors(case, on_disk, tmp_path):
    changes, error, message = ERRORS[case]
    arguments = {"X": X, "S": draw("fjlt"), "k": 2, **changes}
    if on_disk and arguments["X"].size:
        arguments["X"] = mapped(tmp_path, arguments["X"])
    with pytest.raises(error, match=message):
        sketch.low_rank(**arguments)


def test_errors_of_excess():
    with pytest.raises(ValueError, match="metric must be one of 'squared', 'norm'"):
        sketch.excess(X, draw("fjlt"), 1, metric="x")
    with pytest.raises(ValueError, match=r"matrices\[1\] must be finite"):
        sketch.excess([X, np.inf * X], draw("fjlt"), 1)
    with pytest.raises(ValueError, match=r"S must have shape \(l, 9\)"):
        sketch.excess(X[:9], draw("fjlt"), 1)
    with pytest.raises(ValueError, match="k must be at least 1"):
        sketch.excess(X, draw("fjlt"), 0)
