"""preconditioner: exact where it can be, positive definite, fewer iterations."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.linalg import LinAlgError
from scipy.linalg import toeplitz
from scipy.sparse.linalg import aslinearoperator, cg, gmres, lsqr

import fastbutterfly as fb
from fastbutterfly import linalg
from fastbutterfly.linalg._fit import Terms


def kernel(n=64, dtype=float):
    """A Toeplitz matrix with slow decay, Hermitian and positive definite."""
    column = 1 / (1 + np.arange(n)) ** 1.1
    if dtype is complex:
        column = column * np.exp(0.3j * np.arange(n))
    return toeplitz(column)


def iterations(solve, A, M=None):
    counts = []
    b = np.random.default_rng(0).standard_normal(A.shape[0])
    kind = {"callback_type": "pr_norm"} if solve is gmres else {}
    x, failed = solve(A, b, M=M, rtol=1e-9, callback=counts.append, **kind)
    assert not failed
    assert np.linalg.norm(A @ x - b) < 1e-6 * np.linalg.norm(b)
    return len(counts)


@pytest.mark.parametrize("spd", [False, True])
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("n", [32, 45])
def test_gradient(n, dtype, spd, rng):
    operators = [
        fb.Butterfly.random(n, init="gaussian", dtype=dtype, rng=seed)
        for seed in (0, 1)
    ]
    terms = Terms(operators, spd)
    X, Z = (
        (x + 1j * rng.standard_normal(x.shape)).astype(dtype) if dtype is complex else x
        for x in rng.standard_normal((2, 5, n))
    )

    def value(weights):
        return 0.5 * np.linalg.norm(terms.with_weights(weights)(X) - Z) ** 2

    gradient = terms.gradient(X, terms(X) - Z)
    gradient = np.ascontiguousarray(gradient, terms.dtype).view(float)
    w, h = terms.weights, 1e-6
    for u in rng.standard_normal((3, w.size)):
        slope = (value(w + h * u) - value(w - h * u)) / (2 * h)
        assert slope == pytest.approx(gradient @ u, rel=1e-6)
    P = sum(B.to_dense() for B in operators)
    M = P.conj().T @ P if spd else P
    np.testing.assert_allclose(terms(X), X @ M.T, atol=1e-10)


def test_is_the_inverse_where_that_is_a_butterfly():
    A = fb.Butterfly.random(64, stride="decreasing", rng=0).to_dense() * 3
    M = linalg.preconditioner(A, terms=1, max_iter=0)
    assert M.residual < 1e-12
    assert iterations(gmres, A, M) <= 2


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("n", [64, 60])
def test_fewer_iterations(n, dtype):
    A = kernel(n, dtype)
    M = linalg.preconditioner(A, rng=0)
    assert M.dtype == np.result_type(dtype, float)
    assert M.residual < 0.2
    assert iterations(gmres, A, M) < 0.6 * iterations(gmres, A)
    x = np.linalg.solve(A, np.ones(n))
    missed = np.linalg.norm(M @ np.ones(n) - x) / np.linalg.norm(x)
    assert missed < 3 * M.residual


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("method", ["inverse", "learn"])
def test_positive_definite(method, dtype):
    A = kernel(dtype=dtype)
    M = linalg.preconditioner(A, method=method, spd=True, max_iter=200, rng=0)
    dense = M @ np.eye(64)
    np.testing.assert_allclose(dense, dense.conj().T, atol=1e-12)
    assert np.linalg.eigvalsh(dense)[0] > 0
    assert M.H is M or M.adjoint() is M
    assert iterations(cg, A, M) < iterations(cg, A)


def test_learns_from_products_alone():
    n = 64
    A = sp.diags_array([-1.0, 2.2, -1.0], offsets=[-1, 0, 1], shape=(n, n)).tocsr()
    seen = []

    class Counted(type(aslinearoperator(A))):
        def _matmat(self, X):
            seen.append(X.shape[1])
            return A @ X

    M = linalg.preconditioner(Counted(A), terms=2, spd=True, max_iter=300, rng=0)
    assert sum(seen) == 4 * 2 * 6 + 16
    assert M.residual < 0.5
    assert iterations(cg, A, M) < iterations(cg, A)
    again = linalg.preconditioner(A, terms=2, spd=True, max_iter=300, rng=0)
    np.testing.assert_allclose(again.residual, M.residual, rtol=0.2)


def test_fitting_helps_and_noise_is_a_start_only(rng):
    A = kernel()
    before, after = (
        linalg.preconditioner(A, terms=2, max_iter=count, rng=0).residual
        for count in (0, 100)
    )
    assert after < before
    diagonal = np.diag(rng.uniform(1, 100, 64))
    M = linalg.preconditioner(aslinearoperator(diagonal), terms=1, max_iter=300, rng=0)
    assert M.residual < 0.05


def test_adjoint_and_repr():
    M = linalg.preconditioner(kernel(32, complex), rng=0, max_iter=5)
    dense = M @ np.eye(32)
    np.testing.assert_allclose(M.H @ np.eye(32), dense.conj().T, atol=1e-12)
    np.testing.assert_allclose(M @ np.ones(32), dense.sum(axis=1), atol=1e-12)
    assert repr(M).startswith("Preconditioner(shape=(32, 32), P of 4 butterflies, res")


def test_right_preconditioned(rng):
    A = kernel() @ np.diag(np.geomspace(1, 1e3, 64))
    M = linalg.preconditioner(A, terms=4, rng=0)
    operator, recover = linalg.right_preconditioned(A, M)
    x = rng.standard_normal(64)
    plain = lsqr(A, A @ x, atol=1e-12, btol=1e-12, iter_lim=10**4)
    better = lsqr(operator, A @ x, atol=1e-12, btol=1e-12, iter_lim=10**4)
    assert better[2] < plain[2]
    np.testing.assert_allclose(recover(better[0]), x, atol=1e-6)


def test_right_preconditioned_lists():
    operator, recover = linalg.right_preconditioned([[1, 2]], [[3, 0], [0, 4]])
    np.testing.assert_array_equal(operator @ np.eye(2), [[3, 8]])
    np.testing.assert_array_equal(recover(np.ones(2)), [3, 4])


@pytest.mark.parametrize("spd", [False, True])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, aslinearoperator])
@pytest.mark.parametrize("method", ["auto", "learn"])
def test_one_unknown(method, form, spd):
    M = linalg.preconditioner(form(np.array([[4.0]])), method=method, spd=spd, rng=0)
    np.testing.assert_allclose(M @ [2.0], [0.5])


E = np.eye(4)
ERRORS = [
    ((E[:2],), {}, ValueError, "A must be square and not empty"),
    ((E[:0, :0],), {}, ValueError, "A must be square and not empty"),
    ((E * np.nan,), {}, ValueError, "A must be finite"),
    ((E,), {"method": "jacobi"}, ValueError, "method must be one of 'auto'"),
    ((E,), {"terms": 0}, ValueError, "terms must be at least 1"),
    ((E,), {"samples": 0}, ValueError, "samples must be at least 1"),
    ((E,), {"max_iter": -1}, ValueError, "max_iter must be at least 0"),
    ((E,), {"spd": 1}, TypeError, "spd must be True or False"),
    ((-E,), {"spd": True}, LinAlgError, "A must be positive definite for spd=True"),
    ((0 * E,), {}, LinAlgError, "singular"),
    ((0 * E,), {"method": "learn"}, LinAlgError, "A is zero"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_bad_input(case):
    args, options, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        linalg.preconditioner(*args, **options)


def test_bad_shapes():
    with pytest.raises(ValueError, match=r"M must have shape \(3, 3\)"):
        linalg.right_preconditioned(np.ones((4, 3)), np.eye(4))
