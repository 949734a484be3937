"""Theorem 1 and projections, against dense algebra and finite differences."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from fastbutterfly.approximation import ProjectedLowRank, Subspace, reduced_rank


def problem(rng, d=40, l=12, m=24):
    """Inputs and targets that do not come from them."""
    return rng.standard_normal((d, l)), rng.standard_normal((d, m))


def sigma(A, Y):
    """Y^T A (A^T A)^-1 A^T Y, for A of full rank."""
    return Y.T @ A @ np.linalg.solve(A.T @ A, A.T @ Y)


def spectrum(A, Y):
    """Its eigenvalues that are not zero by rank, from the largest, and vectors."""
    values, vectors = np.linalg.eigh(sigma(A, Y))
    count = min(A.shape[1], Y.shape[1])
    return values[::-1][:count], vectors[:, ::-1][:, :count]


def loss(A, E, D, Y):
    return np.square(A @ E @ D - Y).sum()


def gradients(A, E, D, Y):
    """Of the loss, with respect to E and D."""
    R = A @ E @ D - Y
    return 2 * A.T @ R @ D.T, 2 * (A @ E).T @ R


def best_in_range(A, Y, k):
    """Least error, by a projector from the SVD of A: independent of its rank."""
    U, s, _ = np.linalg.svd(A, full_matrices=False)
    U = U[:, s > 1e-10 * max(s.max(), 1e-300)]
    PY = U @ (U.T @ Y)
    tail = np.linalg.svd(PY, compute_uv=False)[k:]
    return np.square(Y - PY).sum() + np.square(tail).sum()


SHAPES = [(40, 12, 24), (50, 6, 6), (30, 5, 3), (12, 12, 20), (9, 1, 4), (7, 3, 1)]


class TestOptimum:
    @pytest.mark.parametrize("shape", SHAPES)
    def test_is_the_formula(self, rng, shape):
        A, Y = problem(rng, *shape)
        values, _ = spectrum(A, Y)
        for k in range(1, min(shape[1:]) + 1):
            found = reduced_rank(A, Y, k)
            expected = np.square(Y).sum() - values[:k].sum()
            assert found.loss == pytest.approx(expected, rel=1e-9, abs=1e-9)
            actual = loss(A, found.E, found.D, Y)
            assert found.loss == pytest.approx(actual, rel=1e-9, abs=1e-9)
            assert found.E.shape == (shape[1], k)
            assert found.D.shape == (k, shape[2])
            np.testing.assert_allclose(found.D @ found.D.T, np.eye(k), atol=1e-12)
            np.testing.assert_allclose(found.eigenvalues, values, rtol=1e-8)

    def test_spans_the_first_eigenvectors(self, rng):
        A, Y = problem(rng)
        found, (_, V) = reduced_rank(A, Y, 5), spectrum(A, Y)
        expected = V[:, :5] @ V[:, :5].T
        np.testing.assert_allclose(found.D.T @ found.D, expected, atol=1e-10)

    def test_is_pca_where_nothing_is_lost(self, rng):
        X = rng.standard_normal((30, 8))
        tail = np.linalg.svd(X, compute_uv=False)[3:]
        found = reduced_rank(X, X, 3)
        assert found.loss == pytest.approx(np.square(tail).sum(), rel=1e-12)

    def test_without_noise_the_loss_is_small(self, rng):
        A, _ = problem(rng)
        Y = A @ rng.standard_normal((12, 2)) @ rng.standard_normal((2, 9))
        assert reduced_rank(A, Y, 2).loss < 1e-25 * np.square(Y).sum()

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("method", ["L-BFGS-B", "descent"])
    def test_training_ends_there(self, seed, method):
        rng = np.random.default_rng(seed)
        A, Y = problem(rng, 20, 5, 6)
        A, _ = np.linalg.qr(A)
        shapes, size = ((5, 2), (2, 6)), 10

        def evaluate(p):
            E, D = p[:size].reshape(shapes[0]), p[size:].reshape(shapes[1])
            g = np.concatenate([part.ravel() for part in gradients(A, E, D, Y)])
            return loss(A, E, D, Y), g

        p = rng.standard_normal(22)
        if method == "descent":
            for _ in range(10_000):
                p = p - 0.01 * evaluate(p)[1]
        else:
            options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9}
            p = minimize(evaluate, p, jac=True, method=method, options=options).x
        expected = reduced_rank(A, Y, 2).loss
        assert evaluate(p)[0] == pytest.approx(expected, rel=1e-6)


class TestCriticalPoints:
    @pytest.mark.parametrize("size", range(4))
    def test_every_subset(self, rng, size):
        A, Y = problem(rng, 20, 5, 6)
        values, V = spectrum(A, Y)
        for subset in itertools.combinations(range(5), size):
            found = reduced_rank(A, Y, 3, subset=subset)
            for gradient in gradients(A, found.E, found.D, Y):
                assert np.abs(gradient).max() < 1e-11 * np.square(Y).sum()
            expected = np.square(Y).sum() - values[list(subset)].sum()
            assert found.loss == pytest.approx(expected, rel=1e-9)
            actual = loss(A, found.E, found.D, Y)
            assert found.loss == pytest.approx(actual, rel=1e-9)
            taken = V[:, list(subset)]
            np.testing.assert_allclose(found.D.T @ found.D, taken @ taken.T, atol=1e-10)

    def test_order_and_kind_of_the_subset(self, rng):
        A, Y = problem(rng)
        losses = {
            reduced_rank(A, Y, 3, subset=subset).loss
            for subset in ([4, 0, 2], (0, 2, 4), np.array([2, 4, 0]), iter([0, 2, 4]))
        }
        assert max(losses) == pytest.approx(min(losses), rel=1e-14)

    def test_default_is_the_first(self, rng):
        A, Y = problem(rng)
        first = reduced_rank(A, Y, 3, subset=range(3))
        assert reduced_rank(A, Y, 3).loss == first.loss

    @pytest.mark.parametrize("eps", [1e-2, 0.1, 1.0])
    @pytest.mark.parametrize(("a", "b"), [(0, 3), (1, 2), (0, 1), (2, 4)])
    def test_escape_from_a_saddle(self, rng, eps, a, b):
        A, Y = problem(rng)
        values, V = spectrum(A, Y)
        subset = [i for i in range(5) if i != a]
        saddle = reduced_rank(A, Y, 4, subset=subset)
        D = saddle.D.copy()
        row = subset.index(b)
        D[row] = (D[row] + eps * V[:, a]) / np.sqrt(1 + eps**2)
        E = np.linalg.lstsq(A, Y @ D.T)[0]
        fall = eps**2 / (1 + eps**2) * (values[a] - values[b])
        actual = saddle.loss - loss(A, E, D, Y)
        assert actual == pytest.approx(fall, rel=1e-6, abs=1e-10)
        assert actual > 0


def degenerate(name, rng):
    """Inputs of a rank below their width."""
    A = rng.standard_normal((20, 6))
    if name == "zero":
        return np.zeros((20, 6))
    if name == "repeated":
        return A[:, [0, 1, 1, 2, 0, 2]]
    if name == "empty":
        return A * [0, 1, 0, 1, 1, 0]
    if name == "wide":
        return A[:4]
    return A[:, :2] @ rng.standard_normal((2, 6))


DEGENERATE = {"zero": 0, "repeated": 3, "empty": 3, "wide": 4, "product": 2}


@pytest.mark.parametrize("name", DEGENERATE)
class TestRank:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("k", [1, 2, 5, 40])
    def test_optimum(self, rng, name, k, dtype):
        A = degenerate(name, rng).astype(dtype)
        Y = rng.standard_normal((len(A), 7)).astype(dtype)
        found = reduced_rank(A, Y, k)
        A, Y = A.astype(float), Y.astype(float)
        if name == "product":  # of the rank that it has before it is rounded
            U, s, Vt = np.linalg.svd(A)
            A = U[:, :2] * s[:2] @ Vt[:2]
        rtol = 1e-10 if dtype == np.float64 else 1e-4
        scale = rtol * np.square(Y).sum()
        assert found.loss == pytest.approx(best_in_range(A, Y, k), abs=scale)
        assert found.loss == pytest.approx(loss(A, found.E, found.D, Y), abs=scale)
        assert found.E.dtype == found.D.dtype == dtype
        assert (found.E.shape, found.D.shape) == ((6, k), (k, 7))
        assert len(found.eigenvalues) == DEGENERATE[name]
        taken = min(k, DEGENERATE[name])
        np.testing.assert_allclose(
            found.D @ found.D.T, np.diag(np.arange(k) < taken), atol=10 * rtol
        )

    @pytest.mark.parametrize("k", [1, 3])
    def test_errors_and_gradients_of_best(self, rng, name, k):
        A = degenerate(name, rng)
        Y = rng.standard_normal((len(A), 7))
        best = ProjectedLowRank(A, Y)
        assert best.error(k) == pytest.approx(best_in_range(A, Y, k), rel=1e-10)
        assert np.isfinite(best.gradient(k)).all()
        assert best.gradient(k).shape == A.shape

    def test_generalised_inverse(self, rng, name):
        A = degenerate(name, rng)
        space = Subspace(A)
        assert space.Q.shape == (len(A), DEGENERATE[name])
        assert not space.full
        P = space.Q @ space.Q.T
        np.testing.assert_allclose(P @ A, A, atol=1e-12)
        np.testing.assert_allclose(space.solve(space.Q.T), np.linalg.pinv(A), atol=1e-9)

    def test_in_a_stack_with_others(self, rng, name):
        A = degenerate(name, rng)
        As = np.stack([A, rng.standard_normal(A.shape), np.zeros_like(A)])
        Y = rng.standard_normal((3, len(A), 7))
        best = ProjectedLowRank(As, Y)
        for i in range(3):
            alone = ProjectedLowRank(As[i], Y[i])
            assert best.error(2)[i] == pytest.approx(alone.error(2), rel=1e-12)
            np.testing.assert_allclose(
                best.gradient(2)[i], alone.gradient(2), atol=1e-9
            )


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
@pytest.mark.parametrize("related", [True, False])
@pytest.mark.parametrize(("k", "l"), [(1, 1), (1, 4), (2, 4), (4, 4)])
def test_gradient_of_best(rng, shape, related, k, l):
    A = rng.standard_normal((*shape, 10, l))
    Y = rng.standard_normal((*shape, 10, 6))
    if related:
        Y[..., :l] += 3 * A
    gradient, h = ProjectedLowRank(A, Y).gradient(k), 1e-6
    assert gradient.shape == A.shape
    for u in rng.standard_normal((3, *A.shape)):
        slopes = (
            ProjectedLowRank(A + h * u, Y).error(k)
            - ProjectedLowRank(A - h * u, Y).error(k)
        ) / (2 * h)
        expected = np.sum(gradient * u, axis=(-2, -1))
        np.testing.assert_allclose(slopes, expected, rtol=1e-6, atol=1e-6)


def test_gradient_is_zero_along_the_range(rng):
    A, Y = problem(rng)
    np.testing.assert_allclose(A.T @ ProjectedLowRank(A, Y).gradient(4), 0, atol=1e-10)


def test_error_has_no_cancellation(rng):
    A, _ = problem(rng)
    Y = A @ rng.standard_normal((12, 3)) + 1e-9 * rng.standard_normal((40, 3))
    expected = best_in_range(A, Y, 3)
    assert expected < 1e-15
    assert ProjectedLowRank(A, Y).error(3) == pytest.approx(expected, rel=1e-3)


def test_kinds_of_input(rng):
    A, Y = rng.integers(-5, 5, (15, 4)), rng.integers(-5, 5, (15, 3))
    expected = reduced_rank(A.astype(float), Y.astype(float), 2).loss
    twice = lambda a: np.repeat(a, 2, 0)[::2]  # noqa: E731
    for kind in (np.asfortranarray, np.ndarray.tolist, twice):
        found = reduced_rank(kind(A), kind(Y), 2)
        assert found.loss == pytest.approx(expected, rel=1e-12)
        assert found.E.dtype == np.float64
    assert reduced_rank(np.float32(A), Y, 2).E.dtype == np.float64
    assert isinstance(found.loss, float)


def ones(*shape):
    return {"A": np.ones(shape)}


ERRORS = {
    "vector": (ones(5), ValueError, r"A must be a matrix .* \(5,\)"),
    "empty": (ones(0, 2), ValueError, r"A must be a matrix .* \(0, 2\)"),
    "nan": ({"A": np.full((5, 2), np.nan)}, ValueError, "A must be finite, but"),
    "infinite": ({"Y": np.full((5, 2), np.inf)}, ValueError, "Y must be finite, but"),
    "complex": ({"A": np.ones((5, 2)) * 1j}, TypeError, "A must hold real numbers"),
    "rows": (ones(6, 2), ValueError, "Y must have as many rows as A, 6, got 5"),
    "k": ({"k": 0}, ValueError, "k must be at least 1, got 0"),
    "k float": ({"k": 1.0}, TypeError, "k must be an int, got 1.0"),
    "subset": ({"subset": 1}, TypeError, "subset must be a sequence, got int"),
    "many": ({"subset": [0, 1, 2]}, ValueError, "subset must have at most k = 2"),
    "twice": ({"subset": [1, 1]}, ValueError, "subset must have .* different"),
    "far": ({"subset": [3]}, ValueError, r"subset must lie in 0 ... 2: .* got 3"),
    "negative": ({"subset": [-1]}, ValueError, r"subset\[0\] must be at least 0"),
    "kind": ({"subset": [0, "a"]}, TypeError, r"subset\[1\] must be an int"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case):
    changes, error, message = ERRORS[case]
    rng = np.random.default_rng(0)
    A, Y = rng.standard_normal((5, 4)), rng.standard_normal((5, 3))
    with pytest.raises(error, match=message):
        reduced_rank(**{"A": A, "Y": Y, "k": 2, **changes})
