"""Elimination: LU factors without pivoting, by blocks and in place."""

from scipy.linalg import solve_triangular

from .._kernels.two_sided import eliminate

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


def lower_solve(LU, b):
    """L^-1 b."""
    options = {"lower": True, "unit_diagonal": True, "check_finite": False}
    return solve_triangular(LU, b, **options)


def upper_solve(LU, b, *, trans=False):
    """U^-1 b, or U^-T b."""
    return solve_triangular(LU, b, trans=int(trans), check_finite=False)
