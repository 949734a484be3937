"""rsvd against LAPACK: errors, adaptive rank, estimates, kinds of A, bad input."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator

from fastbutterfly import linalg


def decaying(rng, m=300, n=200, power=1.0):
    """A matrix whose singular values fall like 1 / i^power, and these."""
    k = min(m, n)
    U = np.linalg.qr(rng.standard_normal((m, k)))[0]
    V = np.linalg.qr(rng.standard_normal((n, k)))[0]
    s = np.arange(1.0, k + 1) ** -power
    return U * s @ V.T, s


def error_norm(A, result):
    return np.linalg.norm(A - result.U * result.s @ result.Vt)


@pytest.mark.parametrize("shape", [(300, 200), (200, 300), (250, 250)])
@pytest.mark.parametrize("k", [1, 10, 50])
def test_is_nearly_the_best(k, shape, rng):
    A, s = decaying(rng, *shape)
    result = linalg.rsvd(A, k, rng=0)
    assert [a.shape for a in result[:3]] == [(shape[0], k), (k,), (k, shape[1])]
    np.testing.assert_allclose(result.U.T @ result.U, np.eye(k), atol=1e-13)
    np.testing.assert_allclose(result.Vt @ result.Vt.T, np.eye(k), atol=1e-13)
    error, best = error_norm(A, result), np.linalg.norm(s[k:])
    assert best * (1 - 1e-12) <= error <= 1.02 * best
    assert result.error == pytest.approx(error, rel=1e-6)
    np.testing.assert_allclose(result.s, s[:k], rtol=0.1)
    assert np.all(result.s <= s[:k] * (1 + 1e-12))


SCALES = [("f", 1e25), ("f", 1e-25), ("d", 1e200), ("d", 1e-200)]


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, aslinearoperator])
def test_huge_and_tiny(kind, dtype, scale, rng):
    A, _ = decaying(rng)
    result = linalg.rsvd(kind((scale * A).astype(dtype)), tol=0.1, rng=0)
    usual = linalg.rsvd(kind(A.astype(dtype)), tol=0.1, rng=0)
    assert len(result.s) == len(usual.s)
    assert result.error == pytest.approx(scale * usual.error, rel=1e-3)


def test_sparse_with_repeated_entries():
    columns = np.repeat(np.arange(40), 2)
    A = sp.csr_array((np.ones(80), columns, np.arange(0, 81, 2)), shape=(40, 40))
    result = linalg.rsvd(A, 3, rng=0)
    assert result.error == pytest.approx(error_norm(A.toarray(), result))
    assert A.nnz == len(columns)  # as it was


@pytest.mark.parametrize("tol", [0.3, 0.03, 3e-3, 1e-6])
def test_tolerance_for_operators(tol, rng):
    A, s = decaying(rng, power=1.5)
    best = np.argmax(np.cumsum(s[::-1] ** 2)[::-1] <= tol**2 * np.sum(s**2)) or len(s)
    for seed in range(8):
        result = linalg.rsvd(aslinearoperator(A), tol=tol, rng=seed)
        assert error_norm(A, result) <= 1.5 * tol * np.linalg.norm(A)
        assert len(result.s) <= 1.5 * best + 1


def test_power_iterations_help(rng):
    A, s = decaying(rng, power=0.3)
    errors = [
        error_norm(A, linalg.rsvd(A, 10, power=power, rng=0)) for power in (0, 1, 3)
    ]
    best = np.linalg.norm(s[10:])
    assert errors[0] > errors[1] > errors[2] >= best * (1 - 1e-12)


@pytest.mark.parametrize("tol", [0.5, 0.1, 0.01, 1e-6])
def test_rank_for_a_tolerance(tol, rng):
    A, s = decaying(rng, power=2.0)
    result = linalg.rsvd(A, tol=tol, rng=0)
    assert error_norm(A, result) <= tol * np.linalg.norm(A) * (1 + 1e-6)
    tails = np.sqrt(np.cumsum(s[::-1] ** 2)[::-1])
    smallest = np.argmax(tails <= tol * np.linalg.norm(A)) or len(s)
    assert smallest <= len(result.s) <= smallest + 2


def test_exact_rank_and_error_at_rounding(rng):
    A = rng.standard_normal((100, 5)) @ rng.standard_normal((5, 80))
    for options in ({"k": 5}, {"tol": 1e-7}):
        result = linalg.rsvd(A, **options, rng=0)
        assert len(result.s) == 5
        assert error_norm(A, result) < 1e-12 * np.linalg.norm(A)
        assert result.error < 1e-11 * np.linalg.norm(A)


def kinds(rng):
    A, _ = decaying(rng, 120, 80)
    yield "F", np.asfortranarray(A)
    yield "strided", np.repeat(A, 2, axis=0)[::2]
    yield "complex", A + 1j * A[::-1]
    yield "int", np.round(100 * A).astype(int)
    yield "csr", sp.random_array((120, 80), density=0.3, rng=0, format="csr")
    yield "operator", aslinearoperator(A)
    yield "complex operator", aslinearoperator(A + 1j * A[::-1])
    yield "zero", 0 * A
    yield "one column", A[:, :1]
    yield "huge", 1e150 * A
    yield "tiny", 1e-150 * A


@pytest.mark.parametrize("kind", [name for name, _ in kinds(np.random.default_rng(0))])
def test_kinds(kind, rng):
    A = dict(kinds(rng))[kind]
    full = A @ np.eye(A.shape[1]) if hasattr(A, "rmatmat") else A
    full = full.toarray() if hasattr(full, "tocsr") else full
    k = min(10, A.shape[1])
    result = linalg.rsvd(A, k, power=4, rng=0)
    s = np.linalg.svd(full, compute_uv=False)
    scale = s[0] or 1.0
    error = error_norm(full / scale, result._replace(s=result.s / scale))
    best = np.linalg.norm(s[k:] / scale)
    assert error <= 1.1 * best + 1e-13
    assert result.error / scale == pytest.approx(error, rel=0.5, abs=1e-12)


def test_memmap_and_float32(tmp_path, rng):
    A = decaying(rng)[0].astype(np.float32)
    np.save(tmp_path / "A.npy", A)
    result = linalg.rsvd(np.load(tmp_path / "A.npy", mmap_mode="r"), 5, rng=0)
    assert result.U.dtype == result.s.dtype == np.float32
    np.testing.assert_array_equal(result.s, linalg.rsvd(A, 5, rng=0).s)


A = np.ones((5, 4))
ERRORS = [
    ((A,), {}, ValueError, "one of k and tol must be given"),
    ((A, 2), {"tol": 0.1}, ValueError, "one of k and tol must be given"),
    ((A, 5), {}, ValueError, "k must be at most 4, got 5"),
    ((A, 0), {}, ValueError, "k must be at least 1"),
    ((A, 1.5), {}, TypeError, "k must be an int"),
    ((A,), {"tol": 1}, ValueError, "tol must be a number, at least 0 and below 1"),
    ((A, 1), {"power": -1}, ValueError, "power must be at least 0"),
    ((A, 1), {"oversampling": -1}, ValueError, "oversampling must be at least 0"),
    ((A * np.inf, 1), {}, ValueError, "A must be finite"),
    ((A[:0], 1), {}, ValueError, "A must not be empty"),
    ((A[0], 1), {}, ValueError, "A must be a matrix"),
    ((A, 1), {"rng": "x"}, TypeError, "rng must be None"),
]


@pytest.mark.parametrize(("args", "options", "error", "message"), ERRORS)
def test_bad_input(args, options, error, message):
    with pytest.raises(error, match=message):
        linalg.rsvd(*args, **options)
