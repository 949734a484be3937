"""Elimination: LU factors without pivoting, by blocks and in place."""

import numpy as np
from scipy.linalg import solve_triangular

from ..._kernels.lu import eliminate

LEAF = 128  # of a triangle that is solved by LAPACK
SMALL = 64  # a block that is eliminated number by number


def lu(A):
    """Overwrite C-ordered A with L (unit diagonal) below and U above; A = L U."""
    _factor(A, 0, len(A))


def _factor(A, start, stop):
    if stop - start <= SMALL:
        eliminate(A.reshape(-1), start, stop, A.shape[1])
        return
    middle = start + max(SMALL, (stop - start) // 2 // SMALL * SMALL)
    first, second = slice(start, middle), slice(middle, stop)
    _factor(A, start, middle)
    upper, lower = A[first, second], A[second, first]
    _from_left(A, start, upper)
    _from_right(A, start, lower)
    A[second, second] -= lower @ upper
    _factor(A, middle, stop)


def _from_left(A, start, B):
    """B = L^-1 B in place, L at A[start:, start:]; by halves: products are faster."""
    n = len(B)
    if n <= LEAF:
        part = slice(start, start + n)
        B[...] = lower_solve(A[part, part], B)
        return
    half = n // 2
    _from_left(A, start, B[:half])
    B[half:] -= A[start + half : start + n, start : start + half] @ B[:half]
    _from_left(A, start + half, B[half:])


def _from_right(A, start, B):
    """B = B U^-1 in place, U at A[start:, start:]."""
    n = B.shape[1]
    if n <= LEAF:
        part = slice(start, start + n)  # X U = B as U^T X^T = B^T
        B[...] = upper_solve(A[part, part], B.T, trans=True).T
        return
    half = n // 2
    _from_right(A, start, B[:, :half])
    B[:, half:] -= B[:, :half] @ A[start : start + half, start + half : start + n]
    _from_right(A, start + half, B[:, half:])


def inverse_size(LU):
    """Norm of (L U)^-1, nearly and from below, if that is large; 0 if U is singular."""
    if not np.diagonal(LU).all() or not LU.size:
        return 0.0
    z = np.random.default_rng(0).standard_normal(len(LU)).astype(LU.dtype)
    y = upper_solve(LU, lower_solve(LU, z)).conj()
    y /= np.where(y == 0, 1, np.abs(y))  # signs, as by Hager (1984)
    w = lower_solve(LU, upper_solve(LU, y, trans=True), trans=True)
    return float(np.abs(w).max())


def lower_solve(LU, b, *, trans=False):
    """L^-1 b, or L^-T b."""
    options = {"lower": True, "unit_diagonal": True, "check_finite": False}
    return solve_triangular(LU, b, trans=int(trans), **options)


def upper_solve(LU, b, *, trans=False):
    """U^-1 b, or U^-T b."""
    return solve_triangular(LU, b, trans=int(trans), check_finite=False)
