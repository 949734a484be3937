"""LU factors without pivoting, by recursive blocks and in place.

Split A into halves [[A11, A12], [A21, A22]] and

1. factor A11 = L11 U11,
2. solve A12 <- L11^-1 A12 and A21 <- A21 U11^-1,
3. update A22 <- A22 - A21 A12,
4. factor A22.

Nearly all operations are then matrix products, which run at the speed of BLAS.
"""

import numpy as np
from scipy.linalg import solve_triangular

from ..._kernels.lu import eliminate

# Sizes at which the recursions end: a block that is eliminated element by element in a
# compiled kernel, and a triangle that LAPACK solves with.
LU_BASE, TRIANGLE_BASE = 64, 128


def factor_in_place(A):
    """Overwrite C-ordered A with L (unit diagonal) below and U above; A = L U."""
    _factor(A, 0, len(A))


def _factor(A, start, stop):
    """Factor the diagonal block A[start:stop, start:stop]."""
    if stop - start <= LU_BASE:
        eliminate(A.reshape(-1), start, stop, A.shape[1])
        return
    middle = start + max(LU_BASE, (stop - start) // 2 // LU_BASE * LU_BASE)
    first, second = slice(start, middle), slice(middle, stop)
    _factor(A, start, middle)
    upper, lower = A[first, second], A[second, first]
    _solve_from_left(A, start, upper)
    _solve_from_right(A, start, lower)
    A[second, second] -= lower @ upper
    _factor(A, middle, stop)


def _solve_from_left(A, start, B):
    """B = L^-1 B in place, with L at A[start:, start:]; by halves."""
    n = len(B)
    if n <= TRIANGLE_BASE:
        part = slice(start, start + n)
        B[...] = lower_solve(A[part, part], B)
        return
    half = n // 2
    _solve_from_left(A, start, B[:half])
    B[half:] -= A[start + half : start + n, start : start + half] @ B[:half]
    _solve_from_left(A, start + half, B[half:])


def _solve_from_right(A, start, B):
    """B = B U^-1 in place, with U at A[start:, start:]; by halves."""
    n = B.shape[1]
    if n <= TRIANGLE_BASE:
        part = slice(start, start + n)  # X U = B as U^T X^T = B^T
        B[...] = upper_solve(A[part, part], B.T, trans=True).T
        return
    half = n // 2
    _solve_from_right(A, start, B[:, :half])
    B[:, half:] -= B[:, :half] @ A[start : start + half, start + half : start + n]
    _solve_from_right(A, start + half, B[:, half:])


def inverse_norm(factors):
    """Estimate |(L U)^-1| in the maximum norm, from below; 0 if U is singular.

    Hager's method (1984), one step from a random start: a few solves show whether the
    norm is large.
    """
    if not np.diagonal(factors).all() or not factors.size:
        return 0.0
    z = np.random.default_rng(0).standard_normal(len(factors)).astype(factors.dtype)
    y = upper_solve(factors, lower_solve(factors, z)).conj()
    y /= np.where(y == 0, 1, np.abs(y))  # signs
    w = lower_solve(factors, upper_solve(factors, y, trans=True), trans=True)
    return float(np.abs(w).max())


def lower_solve(factors, b, *, trans=False):
    """L^-1 b, or L^-T b."""
    options = {"lower": True, "unit_diagonal": True, "check_finite": False}
    return solve_triangular(factors, b, trans=int(trans), **options)


def upper_solve(factors, b, *, trans=False):
    """U^-1 b, or U^-T b."""
    return solve_triangular(factors, b, trans=int(trans), check_finite=False)
