"""solve and lu_rbt: the transform by its definition, accuracy for any n, failures."""

import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from scipy.linalg import LinAlgError, LinAlgWarning

from fastbutterfly import linalg
from fastbutterfly.linalg.systems import blocked_lu
from fastbutterfly.linalg.systems.random_layers import random_layer

SIZES = (1, 2, 3, 4, 5, 7, 8, 31, 64, 65, 100, 129, 200, 257)
DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def draw(rng, shape, dtype=np.float64):
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


def layer_matrix(n, r, segments):
    """R of one layer: of each segment [[R0, R1], [R0, -R1]], the middle alone."""
    matrix = np.zeros((n, n))
    for start, size in segments:
        h = (size + 1) // 2
        for i in range(start, start + size - h):
            matrix[i, [i, i + h]] = r[[i, i + h]]
            matrix[i + h, [i, i + h]] = r[i], -r[i + h]
        if size % 2:
            matrix[start + h - 1, start + h - 1] = 2 * r[start + h - 1]
    return matrix


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [8, 11, 33, 50])
def test_factors_are_those_of_the_transformed_matrix(n, depth, rng):
    A = draw(rng, (n, n))
    made = linalg.LU(A, depth, np.random.default_rng(1))
    stream, U, V = np.random.default_rng(1), np.eye(n), np.eye(n)
    for level in range(depth):
        (u, v), segments = random_layer(n, level, A.dtype, stream)
        assert sum(size for _, size in segments) == n
        U, V = (
            product @ layer_matrix(n, r, segments) for product, r in ((U, u), (V, v))
        )
    L = np.tril(made._factors, -1) + np.eye(n)
    expected = U.T @ A @ V
    np.testing.assert_allclose(L @ np.triu(made._factors), expected, atol=1e-8)
    # Nearly orthogonal: the condition of A changes little.
    assert np.linalg.cond(U) < np.exp(4 * depth / 20) + 1e-9
    np.testing.assert_allclose(np.mean(np.linalg.norm(U, axis=0)), 1, rtol=0.2)


@pytest.mark.parametrize("n", [1, 40, 64, 65, 100, 200, 300])
def test_elimination(n, rng):
    A = draw(rng, (n, n)) + n * np.eye(n)
    LU = A.copy()
    blocked_lu.factor_in_place(LU)
    product = (np.tril(LU, -1) + np.eye(n)) @ np.triu(LU)
    np.testing.assert_allclose(product, A, atol=1e-11 * n)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_any_size(n, dtype, rng):
    A, x = draw(rng, (n, n), dtype), draw(rng, (n, 3), dtype)
    result = linalg.solve(A, A @ x, rng=0)
    assert (result.method, result.x.dtype) == ("rbt", dtype)
    eps = np.finfo(dtype).eps
    assert result.backward_error <= 2 * eps
    error, lapack_error = (
        np.abs(y - x).max() for y in (result.x, scipy.linalg.solve(A, A @ x))
    )
    assert error <= 10 * max(lapack_error, eps * np.linalg.cond(A))
    residual = np.abs(A @ result.x - A @ x).max(axis=0)
    scale = np.abs(A).sum(axis=1).max() * np.abs(result.x).max(axis=0)
    assert np.all(residual <= 4 * n**0.5 * eps * (scale + np.abs(A @ x).max(axis=0)))


SPECIAL = {
    "permutation": lambda n, rng: np.eye(n)[rng.permutation(n)],
    "zero diagonal": lambda n, rng: np.ones((n, n)) - np.eye(n),
    "orthogonal": lambda n, rng: scipy.linalg.qr(rng.standard_normal((n, n)))[0],
    "hilbert": lambda n, rng: scipy.linalg.hilbert(n),
    "ill-conditioned": lambda n, rng: (
        draw(rng, (n, n)) @ np.diag(np.geomspace(1, 1e-10, n)) @ draw(rng, (n, n))
    ),
    "badly scaled": lambda n, rng: (
        draw(rng, (n, n)) * np.geomspace(1e-8, 1e8, n)[:, np.newaxis]
    ),
    "growth": lambda n, rng: (
        np.eye(n) - np.tril(np.ones((n, n)), -1) + np.eye(n)[:, -1:] * np.eye(n)[-1]
    ),
    "integers": lambda n, rng: rng.integers(-3, 4, (n, n)),
}


@pytest.mark.parametrize("n", [10, 61])
@pytest.mark.parametrize("kind", SPECIAL)
def test_special_matrices(kind, n, rng):
    A = SPECIAL[kind](n, rng)
    b = A @ np.ones(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # of conditions
        result = linalg.solve(A, b, rng=0)
    assert result.backward_error <= 4 * n**0.5 * np.finfo(float).eps
    assert np.abs(b - A @ result.x).max() <= 1e-13 * (
        np.abs(A).sum(axis=1).max() * np.abs(result.x).max()
    )


def test_factors_serve_many_right_hand_sides(rng):
    A = draw(rng, (70, 70))
    factors, before = linalg.lu_rbt(A, rng=0), A.copy()
    for b in (rng.standard_normal(70), draw(rng, (70, 2), complex), np.ones(70, int)):
        result = factors.solve(b)
        assert result.x.shape == b.shape
        np.testing.assert_allclose(A @ result.x, b, atol=1e-11)
    np.testing.assert_array_equal(A, before)
    assert (factors.shape, factors.dtype) == ((70, 70), np.float64)
    a, b = (linalg.lu_rbt(A, rng=3).solve(A[0]).x for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_falls_back_with_a_warning(rng):
    A = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.warns(LinAlgWarning, match="refinement did not converge"):
        result = linalg.solve(A, [1.0, 2.0], depth=0)
    assert result.method == "lapack"
    np.testing.assert_array_equal(result.x, [2.0, 1.0])


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_singular():
    with pytest.raises(LinAlgError):
        linalg.solve(np.zeros((3, 3)), np.ones(3))


SINGULAR = [np.arange(16.0).reshape(4, 4), scipy.linalg.hilbert(14)]
SINGULAR += [np.random.default_rng(0).standard_normal((60, 59)) @ np.eye(59, 60)]


@pytest.mark.parametrize("A", [*SINGULAR, SINGULAR[0].astype("f")])
def test_warns_where_scipy_does(A):
    b = np.arange(len(A), dtype=A.dtype) + 1
    for call in (linalg.solve, lambda A, b, rng: linalg.lu_rbt(A, rng=rng).solve(b)):
        with pytest.warns(LinAlgWarning, match="singular to working prec") as seen:
            call(A, b, rng=0)
        assert seen[0].filename == __file__


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1, 1e-20, 1e20])
def test_does_not_warn_elsewhere(scale, dtype, rng):
    for n in (1, 5, 200):
        A = draw(rng, (n, n), dtype) * np.array(scale, np.float32)
        linalg.solve(A, A[:, 0], rng=0)  # warnings are errors


def test_more_layers_for_permutations(rng):
    A = np.eye(61)[rng.permutation(61)]
    result = linalg.solve(A, A @ np.arange(61.0), depth=6, rng=0)
    assert result.method == "rbt"
    np.testing.assert_allclose(result.x, np.arange(61.0), atol=1e-12)


def test_layouts_and_empty(rng):
    A = draw(rng, (40, 40))
    expected = linalg.solve(A, A[0], rng=0).x
    for other in (np.asfortranarray(A), np.repeat(A, 2, axis=1)[:, ::2], A.tolist()):
        np.testing.assert_allclose(linalg.solve(other, A[0], rng=0).x, expected)
    assert linalg.solve(np.empty((0, 0)), np.empty(0)).x.shape == (0,)
    assert linalg.solve(A, A[:, :0]).x.shape == (40, 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unchecked_numbers_as_in_scipy(bad, rng):
    A, b = draw(rng, (9, 9)), np.ones((9, 2))
    b[3, 1] = bad
    factors = linalg.lu_rbt(A, rng=0)
    for call in (
        lambda **o: linalg.solve(A, b, rng=0, **o),
        lambda **o: factors.solve(b, **o),
    ):
        with pytest.raises(ValueError, match="b must be finite"):
            call()
        with pytest.warns(LinAlgWarning, match="refinement did not converge"):
            result = call(check_finite=False)
        expected = scipy.linalg.solve(A, b, check_finite=False)
        np.testing.assert_array_equal(result.x, expected)
    with pytest.raises(TypeError, match="check_finite must be True or False"):
        factors.solve(b, check_finite=1)


A = np.eye(3)
ERRORS = [
    ((A[:2], np.ones(2)), {}, ValueError, "A must be a dense square matrix"),
    ((scipy.sparse.eye_array(3), np.ones(3)), {}, ValueError, "A must be a dense"),
    ((A, np.ones(2)), {}, ValueError, r"b must have shape \(3,\) or \(3, p\)"),
    ((A, np.full(3, np.nan)), {}, ValueError, "b must be finite"),
    ((np.full((3, 3), np.inf), np.ones(3)), {}, ValueError, "A must be finite"),
    ((A, np.ones(3)), {"depth": -1}, ValueError, "depth must be at least 0"),
    ((A, np.ones(3)), {"rng": "x"}, TypeError, "rng must be None"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_bad_input(case):
    args, options, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        linalg.solve(*args, **options)
