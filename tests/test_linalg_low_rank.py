"""eigh, nystrom, qr, norm and cond against LAPACK."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

from fastbutterfly import linalg

N, K = 120, 12


def symmetric(rng, positive=False, dtype=float):
    """A matrix with eigenvalues that fall like 1 / i^1.5, some of them negative."""
    X = rng.standard_normal((N, N)) + 1j * rng.standard_normal((N, N))
    V = np.linalg.qr(X if np.dtype(dtype).kind == "c" else X.real)[0]
    w = np.arange(1.0, N + 1) ** -1.5
    if not positive:
        w[::3] *= -1
    return (V * w @ V.conj().T).astype(dtype), w


def forms(A):
    yield "dense", A
    yield "F", np.asfortranarray(A)
    yield "operator", aslinearoperator(A)
    yield "csr", sp.csr_array(A)


FORMS = [name for name, _ in forms(np.eye(2))]
BOTH = pytest.mark.parametrize("dtype", [float, complex])


@BOTH
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("find", [linalg.eigh, linalg.nystrom])
def test_eigenvalues(find, form, dtype, rng):
    A, w = symmetric(rng, find is linalg.nystrom, dtype)
    result = find(dict(forms(A))[form], K, rng=0)
    np.testing.assert_allclose(result.V.conj().T @ result.V, np.eye(K), atol=1e-12)
    assert result.w.dtype == float
    error = np.linalg.norm(A - result.V * result.w @ result.V.conj().T)
    best = np.linalg.norm(w[K:])
    assert (
        best * (1 - 1e-9) <= error <= (2.5 if find is linalg.nystrom else 1.05) * best
    )
    assert result.error == pytest.approx(error, rel=0.5)
    rtol = 0.5 if find is linalg.nystrom else 0.05
    np.testing.assert_allclose(result.w, w[:K], rtol=rtol)


def test_nystrom_is_at_most_the_matrix(rng):
    A, _ = symmetric(rng, positive=True)
    result = linalg.nystrom(A, K, rng=0)
    assert (result.w >= 0).all()
    remainder = A - result.V * result.w @ result.V.T
    assert np.linalg.eigvalsh(remainder)[0] > -1e-12


@pytest.mark.parametrize("find", [linalg.eigh, linalg.nystrom])
@pytest.mark.parametrize("scale", [1.0, 1e100, 1e-100, 0.0])
def test_exact_where_the_rank_is_low(find, scale, rng):
    x = rng.standard_normal((N, 3))
    A = scale * (x @ x.T)
    result = find(A, 5, rng=0)
    np.testing.assert_allclose(
        result.V * result.w @ result.V.T, A, atol=1e-11 * np.abs(A).max()
    )
    np.testing.assert_allclose(result.w[3:], 0, atol=1e-11 * np.abs(A).max())


@BOTH
@pytest.mark.parametrize("shape", [(200, 80), (80, 200), (90, 90)])
@pytest.mark.parametrize("k", [1, 10, None])
def test_pivoted_qr(shape, k, dtype, rng):
    s = np.geomspace(1, 1e-4, min(shape))
    X = rng.standard_normal((*shape, 2))
    X = X[..., 0] + 1j * X[..., 1] if dtype is complex else X[..., 0]
    U, _, Vh = np.linalg.svd(X, full_matrices=False)
    A = U * s @ Vh
    result = linalg.qr(A, k, rng=0)
    k = k or min(shape)
    assert sorted(result.pivots) == list(range(shape[1]))
    np.testing.assert_allclose(result.Q.conj().T @ result.Q, np.eye(k), atol=1e-12)
    np.testing.assert_allclose(np.tril(result.R[:, :k], -1), 0, atol=1e-15)
    error = np.linalg.norm(A[:, result.pivots] - result.Q @ result.R)
    assert result.error == pytest.approx(error, rel=1e-6, abs=1e-12)
    Q, R, pivots = scipy.linalg.qr(A, pivoting=True, mode="economic")
    lapack_error = np.linalg.norm(A[:, pivots] - Q[:, :k] @ R[:k])
    assert error <= 1.5 * lapack_error + 1e-12
    columns = A[:, result.pivots[:k]]
    np.testing.assert_allclose(result.Q @ (result.Q.conj().T @ columns), columns)


@pytest.mark.parametrize("form", FORMS)
def test_norm_and_cond(form, rng):
    U = np.linalg.qr(rng.standard_normal((400, 30)))[0]
    for condition in (1, 1e4, 1e10):
        A = 3 * U * np.geomspace(1, 1 / condition, 30)
        given = dict(forms(A))[form]
        assert 0.99 * 3 <= linalg.norm(given, rng=0) <= 3 * (1 + 1e-12)
        assert condition / 3 <= linalg.cond(given, rng=0) <= 3 * condition
    wide = dict(forms(A.T))[form]
    assert 1e10 / 3 <= linalg.cond(wide, rng=0) <= 3e10


@pytest.mark.parametrize("shape", [(10, 10), (50, 50), (60, 50), (50, 60)])
def test_cond_of_matrices_that_are_not_long(shape, rng):
    A = rng.standard_normal(shape)
    for seed in range(3):
        assert linalg.cond(A, rng=seed) == pytest.approx(np.linalg.cond(A))
    assert linalg.cond(np.eye(10), rng=0) == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_huge_and_tiny(scale, rng):
    A, _ = symmetric(rng, positive=True)
    for function in (linalg.eigh, linalg.nystrom, linalg.qr):
        usual, result = function(A, K, rng=0), function(scale * A, K, rng=0)
        if function is not linalg.qr:
            np.testing.assert_allclose(result.w / scale, usual.w)
        assert result.error == pytest.approx(scale * usual.error, rel=1e-6)
    for function in (linalg.norm, linalg.cond):
        ratio = function(scale * A, rng=0) / function(A, rng=0)
        assert ratio == pytest.approx(scale if function is linalg.norm else 1)


def test_norm_where_singular_values_hardly_fall(rng):
    A = rng.standard_normal((400, 300))
    ratios = [linalg.norm(A, rng=seed) / np.linalg.norm(A, 2) for seed in range(10)]
    assert 0.95 <= min(ratios) <= max(ratios) <= 1 + 1e-12


def test_limits():
    zero = linalg.nystrom(np.zeros((9, 9)), 3, rng=0)
    assert (zero.w.shape, zero.V.shape, zero.error) == ((0,), (9, 0), 0)
    assert linalg.norm(np.zeros((3, 0))) == linalg.norm(np.zeros((3, 2))) == 0
    assert linalg.cond(np.zeros((3, 2))) == np.inf
    assert linalg.cond(np.ones((3, 1)), rng=0) == 1


A = np.ones((5, 4))
ERRORS = [
    (linalg.eigh, (A, 1), {}, ValueError, "A must be square"),
    (linalg.nystrom, (A, 1), {}, ValueError, "A must be square"),
    (linalg.eigh, (A[:4], 5), {}, ValueError, "k must be at most 4"),
    (linalg.nystrom, (A[:4], 0), {}, ValueError, "k must be at least 1"),
    (linalg.eigh, (A[:4], 1), {"power": -1}, ValueError, "power must be at least 0"),
    (linalg.nystrom, (A[:4], 1), {"oversampling": -1}, ValueError, "oversampling must"),
    (linalg.qr, (A, 5), {}, ValueError, "k must be at most 4"),
    (linalg.qr, (A[:0],), {}, ValueError, "A must be a dense matrix that is not empty"),
    (linalg.qr, (sp.eye_array(3),), {}, ValueError, "A must be a dense matrix"),
    (linalg.norm, (A * np.nan,), {}, ValueError, "A must be finite"),
    (linalg.norm, (A,), {"power": 1.5}, TypeError, "power must be an int"),
    (linalg.cond, (A[:0],), {}, ValueError, "A must not be empty"),
    (linalg.cond, (A,), {"rng": "x"}, TypeError, "rng must be None"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_bad_input(case):
    function, args, options, error, message = ERRORS[case]
    with pytest.raises(error, match=message):
        function(*args, **options)
