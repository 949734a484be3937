"""preconditioner: exact where it can be, positive definite, fewer iterations."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from laws import DTYPES, draw
from numpy.linalg import LinAlgError
from scipy.linalg import circulant, hadamard, toeplitz
from scipy.sparse.linalg import (
    LinearOperator,
    aslinearoperator,
    bicgstab,
    cg,
    gmres,
    lsqr,
    minres,
)

import fastbutterfly as fb
from fastbutterfly import linalg
from fastbutterfly.linalg.preconditioning import peeling

N = 256


def kernel(n=N, dtype=float):
    """A Toeplitz matrix with slow decay, Hermitian and positive definite."""
    column = (1 / (1 + np.arange(n)) ** 1.1).astype(dtype)
    if column.dtype.kind == "c":
        column = column * np.exp(0.3j * np.arange(n)).astype(dtype)
    return toeplitz(column)


def laplace(n, shift=0.0):
    """Second differences."""
    offsets = [-1, 0, 1]
    return sp.diags_array([-1.0, 2.0 + shift, -1.0], offsets=offsets, shape=(n, n))


class Counted(LinearOperator):
    """Known by its products; with those of the adjoint, or without."""

    def __init__(self, A, adjoint=True):
        super().__init__(A.dtype, A.shape)
        self.A, self.adjoints, self.count = A, adjoint, 0

    def _matmat(self, X):
        self.count += X.shape[1]
        return self.A @ X

    def _rmatmat(self, X):
        if not self.adjoints:
            raise NotImplementedError
        self.count += X.shape[1]
        return self.A.conj().T @ X


def iterations(solve, A, M=None):
    counts = []
    b = np.random.default_rng(0).standard_normal(A.shape[0])
    kind = {"callback_type": "pr_norm"} if solve is gmres else {}
    x, failed = solve(A, b, M=M, rtol=1e-9, callback=counts.append, **kind)
    assert not failed
    assert np.linalg.norm(A @ x - b) < 1e-6 * np.linalg.norm(b)
    return len(counts)


def spread(n, rng):
    """Positive numbers over two orders of magnitude."""
    return np.geomspace(0.1, 10, n)[rng.permutation(n)]


# Matrices that one butterfly is, and so is the inverse.
EXACT = {
    "fourier": lambda n, rng: np.fft.fft(np.eye(n)),
    "hadamard": lambda n, rng: hadamard(n),
    "diagonal": lambda n, rng: np.diag(spread(n, rng)),
    "kronecker": lambda n, rng: np.kron(
        rng.standard_normal((n // 8, n // 8)) + 4 * np.eye(n // 8),
        rng.standard_normal((8, 8)) + 4 * np.eye(8),
    ),
}


@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("n", [16, 64])
def test_inverse_of_a_butterfly(n, name, of, rng):
    A = EXACT[name](n, rng)
    M = linalg.preconditioner(A, of=of, rank=1, rng=0)
    close = 1e-12 * np.linalg.cond(A)
    np.testing.assert_allclose(M @ A, np.eye(n), atol=close)
    assert M.residual < close
    assert M.n_weights < n * n or n < 64


@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inverse_of_a_positive_definite_butterfly(dtype, of, rng):
    """The Cholesky factor of a Kronecker product is that of the factors."""
    small = draw(rng, (2, 8, 12), np.dtype(dtype)).astype(np.result_type(dtype, float))
    A = np.kron(*(S @ S.conj().T for S in small))
    M = linalg.preconditioner(A, of=of, rank=1, spd=True, rng=0)
    close = 1e-14 * np.linalg.cond(A)
    np.testing.assert_allclose(M @ A, np.eye(64), atol=close)


@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_inverse_of_a_random_butterfly(dtype, of):
    stride = "decreasing" if of == "inverse" else "increasing"
    B = fb.Butterfly.random(64, stride=stride, dtype=dtype, rng=0)
    M = linalg.preconditioner(3 * B.to_dense(), of=of, rank=1, rng=0)
    assert M.residual < 100 * np.finfo(dtype).eps


@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("n", [1, 2, 12, 45, 97])
def test_inverse_of_diagonal_and_circulant_of_any_size(n, of, rng):
    diagonal = np.diag(spread(n, rng))
    M = linalg.preconditioner(diagonal, of=of, rng=0)
    np.testing.assert_allclose(M @ diagonal, np.eye(n), atol=1e-12)
    A = circulant(np.r_[4.0, rng.uniform(0, 2 / n, n - 1)])
    M = linalg.preconditioner(A, rank=9, rng=0)
    np.testing.assert_allclose(M @ A, np.eye(n), atol=1e-12)


@pytest.mark.parametrize("spd", [False, True])
@pytest.mark.parametrize("n", [96, N, 360])
def test_inverse_of_one_dimension(n, spd):
    A = laplace(n)
    M = linalg.preconditioner(A, spd=spd, rng=0)
    assert M.residual < 1e-12 * n**2
    assert iterations(cg if spd else gmres, A, M) <= 2
    assert M.n_weights <= n * n


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["factorize", "learn"])
@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("solve", [cg, minres, gmres, bicgstab])
def test_solvers_converge(solve, of, method, dtype):
    A, spd = kernel(dtype=dtype), solve in (cg, minres)
    if solve is minres and A.dtype.kind == "c":
        pytest.skip("minres takes real matrices only")
    M = linalg.preconditioner(A, of=of, method=method, spd=spd, rng=0)
    assert M.dtype == np.result_type(dtype, float)
    wide = A.astype(M.dtype)
    if solve is minres:
        x, failed = solve(wide, wide @ np.ones(N), M=M, rtol=1e-12)
        assert not failed
        np.testing.assert_allclose(x, np.ones(N), atol=1e-6)
    else:
        assert iterations(solve, wide, M) < iterations(solve, wide)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["factorize", "learn"])
@pytest.mark.parametrize("of", ["inverse", "A"])
@pytest.mark.parametrize("diagonal", [False, True])
def test_positive_definite(diagonal, of, method, dtype):
    if diagonal and of == "A":
        return
    A = kernel(dtype=dtype)
    M = linalg.preconditioner(
        A, of=of, method=method, rank=1, diagonal=diagonal, spd=True, rng=0
    )
    dense = M @ np.eye(N)
    np.testing.assert_allclose(dense, dense.conj().T, atol=1e-12)
    assert np.linalg.eigvalsh(dense)[0] > 0
    assert M.H is M


@pytest.mark.parametrize("spd", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_adjoint_and_products(dtype, spd, rng):
    A = kernel(dtype=dtype)
    M = linalg.preconditioner(A, spd=spd, rank=2, diagonal=True, rng=0)
    dense = M @ np.eye(N)
    P = sum(B.to_dense() for B in M.operators)
    np.testing.assert_allclose(dense, P.conj().T @ P if spd else P, atol=1e-10)
    x, y = draw(rng, (2, N), M.dtype)
    np.testing.assert_allclose(M.H @ np.eye(N), dense.conj().T, atol=1e-12)
    np.testing.assert_allclose(M @ x, dense @ x, atol=1e-10)
    np.testing.assert_allclose(M.rmatvec(x), dense.conj().T @ x, atol=1e-10)
    np.testing.assert_allclose(M.T @ x, dense.T @ x, atol=1e-10)
    np.testing.assert_allclose(np.vdot(y, M @ x), np.vdot(M.H @ y, x), rtol=1e-8)


@pytest.mark.parametrize("spd", [False, True])
def test_residual(spd):
    A = kernel()
    M = linalg.preconditioner(A, spd=spd, rank=1, rng=0)
    error = np.linalg.norm(M @ A - np.eye(N)) / np.sqrt(N)
    assert M.residual == pytest.approx(error, rel=0.2)


def test_rank_terms_and_diagonal_lower_the_residual():
    A = np.eye(N) + kernel() / 2
    residuals = [
        linalg.preconditioner(A, rng=0, **options).residual
        for options in ({"rank": 1}, {"rank": 2}, {"rank": 4}, {"rank": 8})
    ]
    assert all(np.diff(residuals) < 0)
    for options in ({"terms": 3}, {"diagonal": True}):
        M = linalg.preconditioner(A, rank=1, rng=0, **options)
        assert M.residual < residuals[0]
        assert len(M.operators) == options.get("terms", 2)


def test_rank_is_chosen(rng):
    easy, hard = laplace(1024), sp.kronsum(laplace(32, -0.28), laplace(32, -0.28))
    for A, rank in ((easy, 4), (hard, 8)):
        M = linalg.preconditioner(A, rng=0)
        assert M.residual < 0.1
        assert M.n_weights == linalg.preconditioner(A, rank=rank, rng=0).n_weights
    # No larger rank where a dense matrix takes fewer weights.
    A = rng.standard_normal((N, N))
    assert linalg.preconditioner(A, rng=0).n_weights <= N * N


@pytest.mark.parametrize("n", [1, 31, 100, 257, 300])
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", [float, complex])
def test_peeling_is_exact(dtype, hermitian, n, rng):
    """For blocks of low rank: a tridiagonal matrix and the inverse of one."""
    A = (laplace(n).toarray() + 5 * np.linalg.inv(laplace(n).toarray())).astype(dtype)
    if not hermitian:
        A = A * draw(rng, n, np.dtype(dtype)) + np.triu(A)
    counted = Counted(A)
    estimate, exact = peeling.peel(counted, A.dtype, 4, hermitian, rng, None)
    np.testing.assert_allclose(estimate, A, atol=1e-9 * np.linalg.norm(A))
    assert counted.count <= n
    assert exact == (counted.count == n)
    if n >= 257:
        assert counted.count == 3 * 4 * (2 if hermitian else 4) + -(-n // 8)
    if hermitian and not exact:
        np.testing.assert_array_equal(estimate, estimate.conj().T)


@pytest.mark.parametrize("spd", [False, True])
def test_learned_from_few_products(spd):
    n = 512
    A = Counted(laplace(n, 0.1).tocsr())
    M = linalg.preconditioner(A, spd=spd, rng=0)
    assert A.count == 4 * 16 * (2 if spd else 4) + 32 + 16
    assert iterations(cg if spd else gmres, A.A, M) <= 2


def test_learned_with_more_samples_if_needed(rng):
    side = 32
    A = Counted(sp.kronsum(laplace(side), laplace(side)).tocsr())
    M = linalg.preconditioner(A, spd=True, rng=0)
    assert A.count == 16 + (5 * 16 * 2 + 32) + (5 * 32 * 2 + 32)
    assert M.residual < 0.1
    # And n products where there is nothing to be learned.
    A = Counted(np.fft.fft(np.eye(N)))
    M = linalg.preconditioner(A, of="A", rng=0)
    assert M.residual < 1e-12
    assert N < A.count < 2 * N + 100


def test_learned_too_little_is_still_positive_definite():
    side = 32
    A = sp.kronsum(laplace(side), laplace(side)).tocsr()
    M = linalg.preconditioner(A, method="learn", samples=4, spd=True, rng=0)
    assert np.linalg.eigvalsh(M @ np.eye(side**2))[0] > 0
    assert iterations(cg, A, M) < 1.2 * iterations(cg, A)


def test_fourier_at_scattered_points(rng):
    n = 128
    points = (np.arange(n) + rng.uniform(-0.3, 0.3, n)) / n
    A = np.exp(-2j * np.pi * np.outer(points, np.arange(n) - n // 2)) / np.sqrt(n)
    M = linalg.preconditioner(A, of="A", rng=0)
    assert iterations(gmres, A, M) < 0.4 * iterations(gmres, A)


def test_pickle_copy_and_repr():
    M = linalg.preconditioner(kernel(dtype=complex), rank=2, rng=0)
    for other in (pickle.loads(pickle.dumps(M)), copy.deepcopy(M)):
        np.testing.assert_array_equal(other @ np.ones(N), M @ np.ones(N))
        assert repr(other) == repr(M)
        assert other.residual == M.residual
    assert repr(M).startswith(
        "Preconditioner(shape=(256, 256), P of 1 butterfly, n_weights=16384, residual="
    )
    M = linalg.preconditioner(kernel(), rank=1, diagonal=True, spd=True, rng=0)
    assert "P^H P of 2 butterflies" in repr(M)
    assert M.n_weights == sum(B.n_weights for B in M.operators)


def test_seed_and_dtype_of_lists():
    lists = [[2, 1], [1, 3]]
    M = linalg.preconditioner(lists, rng=3)
    assert M.dtype == np.float64
    assert M.residual == linalg.preconditioner(lists, rng=3).residual
    np.testing.assert_allclose(M @ np.array(lists), np.eye(2), atol=1e-14)


def test_right_preconditioned(rng):
    A = kernel() @ np.diag(np.geomspace(1, 1e3, N))
    M = linalg.preconditioner(A, rng=0)
    operator, recover = linalg.right_preconditioned(A, M)
    x = rng.standard_normal(N)
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
@pytest.mark.parametrize("method", ["auto", "factorize", "learn"])
@pytest.mark.parametrize("of", ["inverse", "A"])
def test_one_unknown(of, method, form, spd):
    A = form(np.array([[4.0]]))
    M = linalg.preconditioner(A, of=of, method=method, spd=spd, rng=0)
    np.testing.assert_allclose(M @ [2.0], [0.5])


E = np.eye(4)
ERRORS = [
    ((E[:2],), {}, ValueError, "A must be square and not empty"),
    ((E[:0, :0],), {}, ValueError, "A must be square and not empty"),
    ((E * np.nan,), {}, ValueError, "A must be finite"),
    ((np.eye(131),), {}, ValueError, "A must have a size without a prime factor"),
    ((E,), {"method": "jacobi"}, ValueError, "method must be one of 'auto'"),
    ((E,), {"of": "B"}, ValueError, "of must be one of 'inverse', 'A'"),
    ((E,), {"rank": 0}, ValueError, "rank must be at least 1"),
    ((E,), {"terms": 0}, ValueError, "terms must be at least 1"),
    ((E,), {"samples": 0}, ValueError, "samples must be at least 1"),
    ((E,), {"spd": 1}, TypeError, "spd must be True or False"),
    ((E,), {"diagonal": 1}, TypeError, "diagonal must be True or False"),
    ((E,), {"of": "A", "rank": 2}, ValueError, "rank must be 1 for of="),
    ((E,), {"of": "A", "terms": 2}, ValueError, "terms must be 1 for of="),
    ((E,), {"of": "A", "diagonal": True}, ValueError, "diagonal must be False for of"),
    ((-E,), {"spd": True}, LinAlgError, "A must be positive definite for spd=True"),
    (
        (aslinearoperator(-E),),
        {"spd": True},
        LinAlgError,
        "A must be positive definite for spd=True, but has the eigenvalue -1",
    ),
    ((0 * E,), {}, LinAlgError, "singular"),
    ((0 * E,), {"method": "learn"}, LinAlgError, "singular"),
    ((0 * E,), {"of": "A"}, LinAlgError, "block 0 of layer 0 is singular"),
    ((Counted(np.eye(512), adjoint=False),), {}, TypeError, "with its adjoint, but C"),
    (
        (LinearOperator((512, 512), matvec=np.copy, dtype=float),),
        {},
        TypeError,
        'A must have products with its adjoint, .* or take method="factorize"',
    ),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_bad_input(case):
    args, options, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        linalg.preconditioner(*args, **options)


def test_bad_shapes():
    for shape in ((4,), (4, 4, 4)):
        with pytest.raises(ValueError, match="A must be a matrix, got shape"):
            linalg.right_preconditioned(np.ones(shape), np.eye(4))
        with pytest.raises(ValueError, match="M must be a matrix, got shape"):
            linalg.right_preconditioned(np.eye(4), np.ones(shape))
    with pytest.raises(ValueError, match=r"M must have shape \(3, 3\)"):
        linalg.right_preconditioned(np.ones((4, 3)), np.eye(4))
