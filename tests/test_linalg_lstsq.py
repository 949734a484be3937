"""lstsq against LAPACK: accuracy to condition 1e14, kinds of A, bad input."""

import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from fastbutterfly import linalg, sketch

EPS = np.finfo(float).eps
ITERATIONS = ["lsqr", "momentum"]


def problem(rng, m, n, condition, residual):
    """A, b and the solution, of norm 1."""
    U = np.linalg.qr(rng.standard_normal((m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = U * np.geomspace(1, 1 / condition, n) @ V.T
    x = rng.standard_normal(n)
    x /= np.linalg.norm(x)
    r = rng.standard_normal(m)
    r -= U @ (U.T @ r)
    return A, A @ x + r * (residual / np.linalg.norm(r)), x


def backward_error(A, b, x):
    """Of x, relative to A: Walden, Karlson and Sun (1995), theta infinite."""
    r = b - A @ x
    mu = np.linalg.norm(r) / np.linalg.norm(x)
    side = np.eye(len(b)) - np.outer(r, r) / (r @ r)
    smallest = np.linalg.svd(np.hstack([A, mu * side]), compute_uv=False)[-1]
    return min(mu, smallest) / np.linalg.norm(A)


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("residual", [1e-12, 1e-3, 1.0])
@pytest.mark.parametrize("condition", [1, 1e3, 1e6, 1e10, 1e12, 1e14])
@pytest.mark.parametrize(("m", "n"), [(600, 30), (900, 200)])
def test_is_as_accurate_as_lapack(m, n, condition, residual, iteration, rng):
    A, b, x = problem(rng, m, n, condition, residual)
    options = {"method": "sketch", "iteration": iteration}
    result = linalg.lstsq(A, b, rng=0, **options)
    expected = scipy.linalg.lstsq(A, b)[0]
    assert (result.method, result.rank, result.converged) == ("sketch", n, True)
    assert result.reason == "asked for"
    error, lapack_error = (np.linalg.norm(y - x) for y in (result.x, expected))
    # LAPACK's own error varies with the rounding; this is what theory allows it.
    allowed = EPS * condition * (1 + condition * residual)
    assert error <= 10 * max(lapack_error, allowed)
    smallest, size = np.linalg.norm(b - A @ expected), 1 + np.linalg.norm(expected)
    excess = result.residual_norm - smallest * (1 + 1e-12)
    assert excess <= 10 * EPS * size + 1e-7 * residual**2
    assert result.residual_norm == pytest.approx(np.linalg.norm(b - A @ result.x))
    assert backward_error(A, b, result.x) < 100 * EPS


def kinds(rng):
    A = rng.standard_normal((300, 20))
    yield "C", A
    yield "F", np.asfortranarray(A)
    yield "strided", rng.standard_normal((600, 40))[::2, ::2]
    yield "complex", A + 1j * rng.standard_normal(A.shape)
    yield "int", np.round(5 * A).astype(int)
    yield "csr", sp.random_array((300, 20), density=0.3, rng=0, format="csr")
    yield "coo", sp.coo_matrix(A)
    yield "operator", aslinearoperator(A)
    yield "complex operator", aslinearoperator(A + 1j * A[::-1])
    yield "repeated", A[:, [*range(10), *range(10)]]
    yield "zero columns", A * (np.arange(20) % 3 > 0)
    yield "zero", 0 * A
    yield "wide", A.T
    yield "wide complex", (A + 1j * A[::-1]).T
    yield "wide operator", aslinearoperator(A.T)
    yield "wide, repeated", A[:, [*range(10), *range(10)]].T
    yield "square", A[:20]
    yield "one column", A[:, :1]
    yield "graded", A * np.geomspace(1, 1e-8, 300)[:, np.newaxis]
    yield "huge", 1e200 * A
    yield "tiny", 1e-200 * A


KINDS = [name for name, _ in kinds(np.random.default_rng(0))]


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("columns", [None, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind, columns, ridge, iteration, rng):
    A = dict(kinds(rng))[kind]
    m, n = A.shape
    b = rng.standard_normal(m if columns is None else (m, columns))
    if kind in ("huge", "tiny"):
        b = b * abs(A).max()
    full = A @ np.eye(n) if hasattr(A, "rmatmat") else A
    full = full.toarray() if hasattr(full, "tocsr") else np.asarray(full)
    below = np.zeros((n, *b.shape[1:]))
    stacked = np.vstack([full, ridge**0.5 * np.eye(n)]), np.concatenate([b, below])
    with np.errstate(over="ignore"):
        given = stacked if ridge else (full, b)
        expected = scipy.linalg.lstsq(*given, cond=1e-13)[0]
    with np.errstate(over="ignore"):
        options = {"method": "sketch", "iteration": iteration}
        result = linalg.lstsq(A, b, ridge=ridge, rng=0, **options)
    assert result.converged
    assert result.x.shape == expected.shape
    np.testing.assert_allclose(
        result.x, expected, rtol=1e-8, atol=1e-10 * (abs(expected).max() + 1e-300)
    )
    residual = np.reshape(b - full @ result.x, (m, -1))
    residuals = np.linalg.norm(residual / np.abs(b).max(), axis=0) * np.abs(b).max()
    assert np.shape(result.residual_norm) == ((columns,) if columns else ())
    scale = np.abs(b).max()
    np.testing.assert_allclose(
        result.residual_norm / scale, residuals.squeeze() / scale, rtol=1e-6, atol=1e-12
    )
    if not ridge:
        assert result.rank == np.linalg.matrix_rank(full)


@pytest.mark.parametrize("shape", [(1, 1), (10, 10), (60, 50), (50, 60), (300, 300)])
def test_matrices_that_are_not_tall(shape, rng):
    A, b = rng.standard_normal(shape), rng.standard_normal(shape[0])
    expected = scipy.linalg.lstsq(A, b)[0]
    for seed in range(3):
        for kind in (np.asarray, sp.csr_array, aslinearoperator):
            result = linalg.lstsq(kind(A), b, method="sketch", rng=seed)
            assert (result.rank, result.method) == (min(shape), "sketch")
            np.testing.assert_allclose(result.x, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("scales", [(1, 1e-9, 1e-28), (1, 1e-28, 0)])
def test_columns_of_very_different_sizes(scales, rng):
    A = rng.standard_normal((500, 20)).astype("f")
    b = (rng.standard_normal((500, 3)) * scales).astype("f")
    result = linalg.lstsq(A, b, method="sketch", rng=0)
    expected = scipy.linalg.lstsq(A.astype(float), b.astype(float))[0]
    for column, exact in zip(result.x.T, expected.T, strict=True):
        np.testing.assert_allclose(column, exact, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("method", ["sketch", "lapack"])
def test_rank_with_a_ridge(method):
    A, b = np.ones((50, 3)), np.ones(50)
    ranks = [linalg.lstsq(A, b, ridge=r, method=method, rng=0).rank for r in (0, 0.5)]
    assert ranks == [1, 3]


@pytest.mark.parametrize("method", ["sketch", "lapack"])
@pytest.mark.parametrize("shape", [(50, 4), (4, 50)])
def test_no_right_hand_side(shape, method, rng):
    A = rng.standard_normal(shape)
    result = linalg.lstsq(A, np.empty((len(A), 0)), method=method, rng=0)
    assert (result.x.shape, result.rank) == ((shape[1], 0), 4)
    assert result.residual_norm.shape == (0,)


def test_float32(rng):
    A, b, x = problem(rng, 500, 20, 10, 1e-3)
    result = linalg.lstsq(A.astype("f"), b.astype("f"), method="sketch", rng=0)
    assert result.x.dtype == np.float32
    np.testing.assert_allclose(result.x, x, atol=1e-4)


DRAWN = [sketch.fjlt, sketch.sparse_rtt, sketch.gaussian, sketch.count_sketch]


@pytest.mark.parametrize("draw", DRAWN)
def test_sketches(draw, rng):
    A, b, x = problem(rng, 500, 10, 1e4, 1e-6)
    result = linalg.lstsq(A, b, sketch=draw(120, 500, rng=0))
    assert (result.method, result.reason) == ("sketch", "a sketch was given")
    np.testing.assert_allclose(result.x, x, atol=1e-8)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("dtype", [float, complex])
def test_sketches_of_other_kinds(form, kind, dtype, rng):
    A, S = rng.standard_normal((200, 10)), rng.standard_normal((60, 200))
    if dtype is complex:
        A, S = A + 1j * A[::-1], S + 1j * S[::-1]
    b = A @ np.arange(10.0) + rng.standard_normal(200)
    result = linalg.lstsq(form(A), b, sketch=kind(S))
    assert result.method == "sketch"
    assert result.iterations < 100
    np.testing.assert_allclose(result.x, scipy.linalg.lstsq(A, b)[0], atol=1e-12)


class Counted(LinearOperator):
    """An operator that counts products, and how many there were at a time."""

    def __init__(self, A):
        super().__init__(A.dtype, A.shape)
        self.A, self.count, self.most = A, 0, 0

    def _counted(self, A, X):
        self.count, self.most = self.count + X.shape[1], max(self.most, X.shape[1])
        return A @ X

    def _matmat(self, X):
        return self._counted(self.A, X)

    def _rmatmat(self, X):
        return self._counted(self.A.conj().T, X)


@pytest.mark.parametrize("dtype", [float, complex])
def test_operators_are_sketched_by_few_products(dtype, rng):
    A = sp.random_array((1 << 17, 100), density=1e-4, rng=rng) + sp.eye_array(
        1 << 17, 100
    )
    A = A.tocsr().astype(dtype) * (1 + 1j if dtype is complex else 1)
    counted, b = Counted(A), rng.standard_normal(A.shape[0])
    result = linalg.lstsq(counted, b, rng=0)
    assert counted.count <= 100 + 2 * result.iterations + 10
    assert counted.most * A.shape[0] <= 1 << 22
    np.testing.assert_allclose(result.x, linalg.lstsq(A, b, rng=0).x, atol=1e-12)


def test_precision_is_that_of_the_operator_and_b(rng):
    first, second = (rng.standard_normal((k, 20)).astype("f") for k in (300, 20))
    second[:, 10:] = second[:, :10] + 1e-5 * second[:, 10:]
    A = first.astype(float) @ second.astype(float)
    operator = aslinearoperator(first) @ aslinearoperator(second)
    for b in (rng.standard_normal(300), 1j * rng.standard_normal(300)):
        result = linalg.lstsq(operator, b, rng=0)
        same = linalg.lstsq(A, b, method="sketch", rng=0)
        assert (result.rank, result.x.dtype) == (20, np.result_type(b, float))
        assert result.condition == pytest.approx(same.condition, rel=1e-6)
        close = 1e-9 * np.abs(same.x).max()
        np.testing.assert_allclose(result.x, same.x, atol=close)
    assert linalg.lstsq(operator, b.imag.astype("f"), rng=0).x.dtype == np.float32


def test_method_is_told(rng):
    A, b, _ = problem(rng, 300, 20, 10, 0.1)
    result = linalg.lstsq(A, b)
    assert (result.method, result.iterations) == ("lapack", 0)
    assert "faster for 300 x 20" in result.reason
    assert result.condition == pytest.approx(10)
    large = np.random.default_rng(0).standard_normal((10500, 200))
    assert linalg.lstsq(large, large[:, 0], rng=0).reason == "A is tall and large"
    many = linalg.lstsq(large, large[:, :2], rng=0)
    assert many.reason.startswith("faster for 2 right-hand sides")
    a, b = (linalg.lstsq(large, large[:, 0], rng=0).x for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_tol_saves_iterations(rng):
    A, b, x = problem(rng, 500, 20, 1e3, 0.1)
    rough = linalg.lstsq(A, b, tol=1e-4, method="sketch", rng=0)
    exact = linalg.lstsq(A, b, method="sketch", rng=0)
    assert rough.iterations < exact.iterations / 1.5
    np.testing.assert_allclose(A @ rough.x, A @ x, atol=1e-3)


def dependent(kind, rng, m, n):
    """Half of the columns, or one, are no new directions."""
    A = rng.standard_normal((m, n))
    if kind == "repeated":
        A[:, n // 2 :] = A[:, : n // 2]
    elif kind == "product":
        A = rng.standard_normal((m, n // 2)) @ rng.standard_normal((n // 2, n))
    else:
        A *= np.geomspace(1, 1e-8, n)
        A[:, -1] = A[:, 0] + A[:, 1]
    return A, n - 1 if kind == "sum" else n // 2


@pytest.mark.parametrize("method", ["sketch", "lapack"])
@pytest.mark.parametrize("n", [4, 50, 250])
def test_default_rcond_keeps_condition_1e14(n, method, rng):
    A, b, x = problem(rng, 12 * n, n, 1e14, 1e-9)
    result = linalg.lstsq(A, b, method=method, rng=0)
    assert (result.rank, result.method) == (n, method)
    lapack_error = np.linalg.norm(scipy.linalg.lstsq(A, b)[0] - x)
    error = np.linalg.norm(result.x - x)
    assert error <= 10 * max(lapack_error, 1e14 * EPS * (1 + 1e14 * 1e-9))


@pytest.mark.parametrize("method", ["sketch", "lapack"])
@pytest.mark.parametrize("kind", ["repeated", "product", "sum"])
@pytest.mark.parametrize(("m", "n"), [(40, 4), (500, 500), (3000, 300)])
def test_default_rcond_finds_the_rank(kind, method, m, n, rng):
    A, rank = dependent(kind, rng, m, n)
    b = rng.standard_normal(m)
    result = linalg.lstsq(A, b, method=method, rng=0)
    assert (result.rank, result.method, result.converged) == (rank, method, True)
    expected = scipy.linalg.lstsq(A, b, cond=1e-13)[0]
    size = np.linalg.norm(expected)
    assert np.linalg.norm(result.x - expected) <= 1e-8 * result.condition * size


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("ridge", [0.0, 1e-4, 1.0, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_scale_of_a_sketch_does_not_matter(scale, ridge, iteration, rng):
    A, b, _ = problem(rng, 500, 20, 1e3, 1e-3)
    S = scale * sketch.sparse_rtt(150, 500, rng=0).to_dense()
    result = linalg.lstsq(A, b, ridge=ridge, sketch=S, iteration=iteration)
    assert (result.method, result.converged) == ("sketch", True)
    assert result.iterations < 70
    expected = linalg.lstsq(A, b, ridge=ridge, method="lapack").x
    close = 1e-9 * np.abs(expected).max()
    np.testing.assert_allclose(result.x, expected, atol=close)


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("ridge", [0.0, 1e-6, 1e-2, 1e2])
@pytest.mark.parametrize("rank", [1, 10, 20])
@pytest.mark.parametrize("dtype", [float, complex])
def test_wide_of_any_rank_and_ridge(dtype, rank, ridge, form, iteration, rng):
    U, V = (rng.standard_normal((k, rank)).astype(dtype) for k in (20, 300))
    if dtype is complex:
        U, V = U * np.exp(1j * U), V * np.exp(2j * V)
    (U, _), (V, _) = np.linalg.qr(U), np.linalg.qr(V)
    s, b = np.geomspace(1, 1e-3, rank), rng.standard_normal((20, 2))
    A = form(U * s @ V.conj().T)
    options = {"method": "sketch", "iteration": iteration}
    result = linalg.lstsq(A, b, ridge=ridge, rng=0, **options)
    assert (result.method, result.converged) == ("sketch", True)
    assert result.rank == (20 if ridge else rank)
    exact = V * (s / (s**2 + ridge)) @ (U.conj().T @ b)
    close = 1e-8 * np.linalg.norm(exact)
    np.testing.assert_allclose(result.x, exact, atol=close)


def test_wide_sparse_is_not_made_dense(rng):
    n = 1 << 20  # as an array 160 MB; with a ridge below it, n^2 elements
    A = sp.random_array((20, n), density=1e-3, rng=rng, format="csr")
    A = sp.vstack([A, A[:1]])  # not of full rank
    b = rng.standard_normal(21)
    for ridge in (0.0, 1.0):
        tracemalloc.start()
        result = linalg.lstsq(A, b, ridge=ridge, rng=0)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (result.method, result.rank) == ("sketch", 21 if ridge else 20)
        assert most < 160e6
        gram = (A @ A.T).toarray() + ridge * np.eye(21)
        expected = A.T @ (np.linalg.pinv(gram, rcond=1e-12) @ b)
        np.testing.assert_allclose(result.x, expected, atol=1e-9)


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("condition", [1, 1e2, 1e4])
@pytest.mark.parametrize("power", [-1, 0, 1])
@pytest.mark.parametrize("dtype", "fFdD")
def test_scales(dtype, power, condition, iteration, rng):
    scale = (1e10 if dtype in "fF" else 1e100) ** power
    A, b, _ = problem(rng, 400, 30, condition, 1e-2)
    turn = np.exp(1j * rng.uniform(0, 6, 400)) if dtype in "FD" else np.ones(400)
    A, b = (A.T * turn).T, b * turn
    given = (scale * A).astype(dtype), (scale * b).astype(dtype)
    result = linalg.lstsq(*given, method="sketch", iteration=iteration, rng=0)
    assert (result.method, result.converged, result.rank) == ("sketch", True, 30)
    exact = scipy.linalg.lstsq(*(a.astype("D") / scale for a in given))[0]
    allowed = np.finfo(dtype).eps * condition * (1 + condition * 1e-2)
    error = np.linalg.norm(result.x - exact) / np.linalg.norm(exact)
    assert error <= 10 * allowed


@pytest.mark.parametrize("ridge", [1e-8, 1.0, 1e8, 1e100])
def test_ridges_against_the_normal_equations(ridge, rng):
    A, b = rng.standard_normal((300, 20)), rng.standard_normal(300)
    expected = np.linalg.solve(A.T @ A / ridge + np.eye(20), A.T @ b / ridge)
    result = linalg.lstsq(A, b, ridge=ridge, method="sketch", rng=0)
    assert (result.converged, result.method) == (True, "sketch")
    np.testing.assert_allclose(result.x, expected, rtol=1e-6, atol=0)


def bad_sketches(n, m):
    """Those that miss directions, and those that hardly hold them."""
    yield np.zeros((2 * n, m))
    yield np.eye(2 * n, m, n // 2)  # not the first rows of A
    yield np.eye(n + 1, m)
    yield sketch.count_sketch(n, m, rng=0)


@pytest.mark.parametrize("iteration", ITERATIONS)
@pytest.mark.parametrize("number", range(4))
def test_bad_sketches_are_told(number, iteration, rng):
    A, b, _ = problem(rng, 400, 20, 10, 1.0)
    A[:20] *= 1e4
    S = list(bad_sketches(20, 400))[number]
    expected = scipy.linalg.lstsq(A, b)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.linalg.LinAlgWarning)
        result = linalg.lstsq(A, b, sketch=S, method="sketch", iteration=iteration)
    close = np.linalg.norm(result.x - expected) <= 1e-8 * np.linalg.norm(expected)
    assert close or not result.converged
    result = linalg.lstsq(A, b, sketch=S, iteration=iteration)  # without a warning
    np.testing.assert_allclose(result.x, expected, rtol=1e-6, atol=1e-8)
    assert number != 0 or "the sketch is bad: LAPACK instead" in result.reason


@pytest.mark.parametrize("form", [sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("iteration", ITERATIONS)
def test_too_few_iterations_are_told(iteration, form, rng):
    A, b, _ = problem(rng, 600, 30, 1e3, 1.0)
    options = {"max_iter": 3, "iteration": iteration, "rng": 0}
    with pytest.warns(scipy.linalg.LinAlgWarning, match="has not converged, in"):
        result = linalg.lstsq(form(A), b, **options)
    assert (result.converged, result.method) == (False, "sketch")
    with pytest.warns(scipy.linalg.LinAlgWarning, match="x may not be accurate"):
        linalg.lstsq(A, b, method="sketch", **options)
    S = sketch.gaussian(60, 600, rng=0)
    result = linalg.lstsq(A, b, sketch=S, **options)
    assert (result.converged, result.method) == (True, "lapack")
    assert result.reason.endswith("lsqr has not converged: LAPACK instead")


def test_lsqr_takes_over_from_momentum(rng):
    A, b, x = problem(rng, 600, 30, 10, 1e-3)
    S = np.eye(600)[:40] + 0.1 * sketch.gaussian(40, 600, rng=0).to_dense()
    result = linalg.lstsq(A, b, sketch=S, iteration="momentum")
    assert "so LSQR took over" in result.reason
    np.testing.assert_allclose(result.x, x, atol=1e-9)


@pytest.mark.parametrize("call", ["lstsq", "rsvd", "norm", "cond"])
@pytest.mark.parametrize("given", ["none", "rmatmat"])
def test_operators_without_an_adjoint(call, given):
    more = {"rmatmat": lambda u: A.T @ u} if given == "rmatmat" else {}
    operator = LinearOperator(A.shape, matvec=lambda x: A @ x, dtype=float, **more)
    args = {"lstsq": (np.ones(5),), "rsvd": (1,)}.get(call, ())
    with pytest.raises(TypeError, match="A must have products with its adjoint"):
        getattr(linalg, call)(operator, *args)


@pytest.mark.parametrize("call", [linalg.eigh, linalg.nystrom])
def test_symmetric_operators_need_none(call, rng):
    B = rng.standard_normal((30, 2))
    operator = LinearOperator((30, 30), matvec=lambda x: B @ (B.T @ x), dtype=float)
    expected = np.linalg.eigvalsh(B @ B.T)[:-3:-1]
    np.testing.assert_allclose(call(operator, 2, rng=0).w, expected)


@pytest.mark.parametrize("method", ["auto", "sketch", "lapack"])
def test_unchecked_numbers_as_in_scipy(method, rng):
    A, b = rng.standard_normal((300, 20)), rng.standard_normal(300)
    b[7] = np.nan
    with pytest.warns(scipy.linalg.LinAlgWarning, match="x may not be accurate"):
        result = linalg.lstsq(A, b, method=method, check_finite=False)
    np.testing.assert_array_equal(result.x, np.full(20, np.nan))
    assert not result.converged
    A[3, 4] = np.nan
    for call in (linalg.lstsq, scipy.linalg.lstsq):
        with pytest.raises(np.linalg.LinAlgError, match="did not converge"):
            call(A, b, check_finite=False)


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_arrays_that_blas_would_copy(columns, rng):
    large = rng.standard_normal((1000, 40))
    A, b = large[:, ::2], rng.standard_normal((1000, columns))
    expected = scipy.linalg.lstsq(A, b)[0]
    for given in (A, A.T.copy().T, large[::2, ::2], large[::-1, ::-2]):
        rows = b[: len(given)]
        result = linalg.lstsq(given, rows, method="sketch", rng=0)
        expected = scipy.linalg.lstsq(given, rows)[0]
        np.testing.assert_allclose(result.x, expected, atol=1e-13)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty(shape):
    result = linalg.lstsq(np.zeros(shape), np.ones(shape[0]))
    np.testing.assert_array_equal(result.x, np.zeros(shape[1]))
    assert result.residual_norm == pytest.approx(shape[0] ** 0.5)
    assert (result.rank, result.reason) == (0, "A is empty")


A = np.ones((5, 2))
ERRORS = [
    ((A, np.ones(4)), {}, ValueError, r"b must have shape \(5,\) or \(5, p\)"),
    ((A, np.ones((5, 1, 1))), {}, ValueError, "b must have shape"),
    ((np.ones(5), np.ones(5)), {}, ValueError, "A must be a matrix"),
    ((A * np.nan, np.ones(5)), {}, ValueError, "A must be finite"),
    ((A, np.full(5, np.inf)), {}, ValueError, "b must be finite"),
    ((A.astype(str), np.ones(5)), {}, TypeError, "A must hold real or complex"),
    ((A, np.ones(5)), {"method": "qr"}, ValueError, "method must be one of 'auto'"),
    ((A, np.ones(5)), {"ridge": -1}, ValueError, "ridge must be a number, at least 0"),
    ((A, np.ones(5)), {"iteration": "cg"}, ValueError, "iteration must be one of"),
    ((A, np.ones(5)), {"max_iter": 0}, ValueError, "max_iter must be at least 1"),
    ((A, np.ones(5)), {"tol": 2}, ValueError, "tol must be a number"),
    ((A, np.ones(5)), {"sketch": A}, ValueError, r"sketch must have shape \(l, 5\)"),
    ((A, np.ones(5)), {"sketch": 1j * np.eye(5)}, ValueError, "sketch must be real"),
    ((A, np.ones(5)), {"rng": "x"}, TypeError, "rng must be None"),
    ((A, np.ones(5)), {"check_finite": 1}, TypeError, "check_finite must be True"),
]


@pytest.mark.parametrize(("args", "options", "error", "message"), ERRORS)
def test_bad_input(args, options, error, message):
    with pytest.raises(error, match=message):
        linalg.lstsq(*args, **options)
