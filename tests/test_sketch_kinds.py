"""What sketches are drawn from, stacks of them, and the optimal one."""

import sys

import laws
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import clarkson_woodruff_transform

import fastbutterfly as fb
from fastbutterfly import sketch

RANDOM = ("fjlt", "sparse_rtt", "gaussian", "count_sketch", "sparse")


class TestLaws:
    @pytest.mark.parametrize("kind", RANDOM)
    @pytest.mark.parametrize("dtype", laws.REAL)
    def test_same_rng_same_bits(self, kind, dtype):
        draw = getattr(sketch, kind)
        a, b, c = (draw(9, 100, dtype=dtype, rng=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(a.to_dense(), b.to_dense())
        assert not np.array_equal(a.to_dense(), c.to_dense())
        assert a.dtype == a.to_dense().dtype == dtype
        assert repr(a).startswith("Sketch(9, 100, ")

    @pytest.mark.parametrize("kind", RANDOM)
    @pytest.mark.parametrize(("l", "n"), [(8, 64), (16, 100)])
    def test_lengths_on_average(self, rng, kind, l, n):
        x = rng.standard_normal(n)
        x[0] = 5
        draw = getattr(sketch, kind)
        squares = [np.square(draw(l, n, rng=rng) @ x).sum() for _ in range(800)]
        ratio = np.array(squares) / np.square(x).sum()
        assert abs(ratio.mean() - 1) < 5 * ratio.std() / 800**0.5 < 0.15

    @pytest.mark.parametrize(("l", "n"), [(1, 1), (3, 3), (8, 50), (20, 1000)])
    def test_non_zeros(self, l, n):
        for nonzeros in {1, min(2, l), min(7, l), l}:
            S = sketch.sparse(l, n, nonzeros=nonzeros, rng=0)
            dense = S.to_dense()
            np.testing.assert_array_equal((dense != 0).sum(axis=0), nonzeros)
            values = np.abs(dense[dense != 0])
            np.testing.assert_allclose(values, nonzeros**-0.5, rtol=1e-15)
            assert S.n_weights == n * nonzeros
            assert S.operator.has_sorted_indices

    def test_places_and_signs_are_uniform(self):
        for nonzeros in (1, 3):
            S = sketch.sparse(10, 9000, nonzeros=nonzeros, rng=0).to_dense()
            count = 900 * nonzeros
            assert np.all(np.abs((S != 0).sum(axis=1) - count) < 5 * count**0.5)
            assert abs(np.sign(S).sum()) < 5 * (9000 * nonzeros) ** 0.5
            pairs = (S != 0).astype(int) @ (S != 0).T
            expected = 9000 * nonzeros * (nonzeros - 1) / 90
            off = pairs[~np.eye(10, dtype=bool)]
            assert np.all(np.abs(off - expected) <= 5 * expected**0.5)

    def test_count_sketch_is_that_of_scipy_in_law(self, rng):
        x, moments = rng.standard_normal((50, 1)), []
        ours = [sketch.count_sketch(10, 50, rng=rng) @ x for _ in range(1500)]
        theirs = [clarkson_woodruff_transform(x, 10, rng) for _ in range(1500)]
        for draws in (ours, theirs):
            squares = np.square(np.array(draws)[..., 0])
            moments.append([squares.sum(axis=1).mean(), (squares**2).mean()])
        np.testing.assert_allclose(moments[0], moments[1], rtol=0.12)
        one = sketch.count_sketch(10, 50, rng=0).to_dense()
        assert set(np.unique(one)) == {-1, 0, 1}

    @pytest.mark.parametrize(("l", "n"), [(1, 1), (5, 8), (20, 1024)])
    def test_fjlt_has_orthogonal_rows(self, l, n):
        J = sketch.fjlt(l, n, rng=0)
        product = J.to_dense() @ J.to_dense().T
        np.testing.assert_allclose(product, n / l * np.eye(l), atol=1e-11 * n / l)
        expected = fb.fjlt(l, n, rng=0)
        np.testing.assert_array_equal(J.to_dense(), expected.to_dense())
        assert J.n_weights == expected.n_weights

    def test_gaussian_moments(self):
        S = sketch.gaussian(20, 1000, rng=0)
        entries = S.to_dense().ravel() * 20**0.5
        assert abs(entries.mean()) < 5 / 20_000**0.5
        assert abs((entries**2).mean() - 1) < 5 * (2 / 20_000) ** 0.5
        assert S.n_weights == 20_000


class TestStack:
    def test_is_the_stack(self, rng):
        parts = [
            sketch.fjlt(3, 50, rng=0),
            sketch.gaussian(1, 50, rng=0, dtype=np.float32),
            sketch.count_sketch(9, 50, rng=0),
        ]
        for count in (1, 2, 3):
            S = sketch.stack(*parts[:count])
            expected = np.concatenate([part.to_dense() for part in parts[:count]])
            np.testing.assert_array_equal(S.to_dense(), expected)
            X = rng.standard_normal((50, 4))
            np.testing.assert_allclose(S @ X, expected @ X, rtol=1e-5, atol=1e-5)

    def test_of_sparse_ones_is_sparse(self):
        parts = [sketch.sparse(4, 20, nonzeros=2, rng=0), sketch.count_sketch(5, 20)]
        S = sketch.stack(*parts)
        assert sp.issparse(S.operator)
        assert (S.shape, S.n_weights) == ((9, 20), 60)
        expected = np.concatenate([part.to_dense() for part in parts])
        np.testing.assert_array_equal(S.to_dense(), expected)

    def test_no_error_is_above_that_of_a_part(self, rng):
        X = rng.standard_normal((40, 30))
        parts = [sketch.fjlt(6, 40, rng=0), sketch.count_sketch(6, 40, rng=0)]
        together = sketch.excess(X, sketch.stack(*parts), 4)
        assert together <= min(sketch.excess(X, S, 4) for S in parts)


def batch(rng, n=40, count=5):
    """Matrices of different widths with some directions in common."""
    base = rng.standard_normal((n, 3))
    widths = range(10, 10 + count)
    return [
        base @ rng.standard_normal((3, d)) + 0.3 * rng.standard_normal((n, d))
        for d in widths
    ]


class TestOptimal:
    @pytest.mark.parametrize("direct", [True, False])
    @pytest.mark.parametrize("l", [1, 3, 12])
    def test_spans_the_first_left_singular_vectors(self, rng, monkeypatch, l, direct):
        if not direct:
            module = sys.modules["fastbutterfly.sketch.optimal"]
            monkeypatch.setattr(module, "DIRECT", 30)
        Xs = batch(rng)
        S = sketch.optimal(Xs, l).to_dense()
        U = np.linalg.svd(np.hstack(Xs))[0]
        np.testing.assert_allclose(S @ S.T, np.eye(l), atol=1e-12)
        np.testing.assert_allclose(S.T @ S, U[:, :l] @ U[:, :l].T, atol=1e-9)
        order = np.square(S @ np.hstack(Xs)).sum(axis=1)
        assert direct is False or np.all(np.diff(order) <= 0)

    def test_is_better_than_random_ones(self, rng):
        Xs = batch(rng)
        for metric in ("squared", "norm", "relative"):
            least = sketch.excess(Xs, sketch.optimal(Xs, 5), 3, metric=metric)
            for kind in RANDOM:
                options = {"nonzeros": 3} if kind == "sparse" else {}
                S = getattr(sketch, kind)(5, 40, rng=rng, **options)
                assert least <= sketch.excess(Xs, S, 3, metric=metric)

    def test_has_no_excess_for_one_matrix(self, rng):
        X = rng.standard_normal((30, 20))
        for k in (1, 4):
            assert abs(sketch.excess(X, sketch.optimal(X, k), k)) < 1e-11

    @pytest.mark.parametrize("kind", [sp.csr_array, sp.csc_matrix, np.float32, list])
    def test_kinds_of_matrices(self, rng, kind):
        Xs = [np.round(X) for X in batch(rng)]
        U = np.linalg.svd(np.hstack(Xs))[0][:, :4]
        given = Xs if kind is list else [kind(X) for X in Xs]
        S = sketch.optimal(given, 4).to_dense()
        np.testing.assert_allclose(S.T @ S, U @ U.T, atol=1e-9)

    @pytest.mark.parametrize("count", [2, 25])
    def test_many_rows_and_sparse(self, count):
        n, rng = 2100, np.random.default_rng(0)
        Xs = [sp.random_array((n, 12), density=0.01, rng=rng) for _ in range(2)]
        S = sketch.optimal(Xs, count).to_dense()
        dense = np.hstack([X.toarray() for X in Xs])
        np.testing.assert_allclose(S @ S.T, np.eye(count), atol=1e-9)
        tail = np.square(np.linalg.svd(dense, compute_uv=False)[count:]).sum()
        lost = np.square(dense - S.T @ (S @ dense)).sum()
        assert lost == pytest.approx(tail, abs=1e-9)
        np.testing.assert_array_equal(S, sketch.optimal(Xs, count).to_dense())

    def test_float32_is_as_good_as_its_numbers(self, rng):
        base, _ = np.linalg.qr(rng.standard_normal((30, 3)))
        weights = np.diag([1, 1e-3, 1e-5])
        X = (base @ weights @ rng.standard_normal((3, 40))).astype(np.float32)
        expected = np.linalg.svd(X.astype(float))[0][:, :3]
        S = sketch.optimal(X, 3).to_dense()
        np.testing.assert_allclose(S.T @ S, expected @ expected.T, atol=1e-4)

    @pytest.mark.parametrize("n", [5, 2100])
    def test_zero(self, n):
        S = sketch.optimal(sp.csr_array((n, 3)), 2).to_dense()
        np.testing.assert_allclose(S @ S.T, np.eye(2), atol=1e-15)


ERRORS = {
    "wide": (lambda: sketch.fjlt(9, 8), ValueError, "l must be at most n = 8, got 9"),
    "l": (lambda: sketch.gaussian(0, 8), ValueError, "l must be at least 1, got 0"),
    "n": (lambda: sketch.fjlt(1, 8.0), TypeError, "n must be an int, got 8.0"),
    "dtype": (
        lambda: sketch.gaussian(2, 8, dtype=complex),
        ValueError,
        "dtype must be",
    ),
    "ints": (lambda: sketch.count_sketch(2, 8, dtype=int), ValueError, "dtype must be"),
    "rng": (lambda: sketch.sparse(2, 8, nonzeros=1, rng=-1), TypeError, "rng must be"),
    "many": (
        lambda: sketch.sparse(2, 8, nonzeros=3),
        ValueError,
        "nonzeros must be at most",
    ),
    "selected": (
        lambda: sketch.sparse_rtt(2, 7, nonzeros=9),
        ValueError,
        "nonzeros must be at most 8, got 9",
    ),
    "few": (lambda: sketch.sparse(2, 8, nonzeros=0), ValueError, "nonzeros must be at"),
    "none": (lambda: sketch.optimal([], 1), ValueError, "matrices must hold at least"),
    "number": (lambda: sketch.optimal(3, 1), TypeError, "matrices must be a sequence"),
    "rows": (
        lambda: sketch.optimal([np.eye(2), np.eye(3)], 1),
        ValueError,
        r"matrices must have the same number of rows, got \[2, 3\]",
    ),
    "nan": (
        lambda: sketch.optimal([np.eye(2), np.eye(2) * np.nan], 1),
        ValueError,
        r"matrices\[1\] must be finite",
    ),
    "shape": (
        lambda: sketch.optimal([[1, 2]], 1),
        ValueError,
        r"matrices\[0\] must be",
    ),
    "optimal": (
        lambda: sketch.optimal(np.eye(3), 4),
        ValueError,
        "l must be at most n",
    ),
    "stack": (lambda: sketch.stack(), ValueError, "sketches must"),
    "array": (lambda: sketch.stack(np.eye(2)), TypeError, "sketches must be Sketch"),
    "widths": (
        lambda: sketch.stack(sketch.fjlt(1, 2), sketch.fjlt(1, 3)),
        ValueError,
        r"sketches must have the same width, got \[2, 3\]",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    call, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        call()
