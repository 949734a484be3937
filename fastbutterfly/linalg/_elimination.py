"""Elimination: LU factors without pivoting, by blocks and in place."""

from scipy.linalg import solve_triangular

from .._kernels.two_sided import eliminate

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
    upper[...] = lower_solve(A[first, first], upper)
    # X U = B as U^T X^T = B^T
    lower[...] = upper_solve(A[first, first], lower.T, trans=True).T
    A[second, second] -= lower @ upper
    _factor(A, middle, stop)


def lower_solve(LU, b):
    """L^-1 b."""
    options = {"lower": True, "unit_diagonal": True, "check_finite": False}
    return solve_triangular(LU, b, **options)


def upper_solve(LU, b, *, trans=False):
    """U^-1 b, or U^-T b."""
    return solve_triangular(LU, b, trans=int(trans), check_finite=False)
