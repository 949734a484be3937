"""Least squares by LAPACK's gelsd, of the dense matrix."""

import numpy as np
import scipy.linalg

from ..arguments import dense
from .column_norms import safe_norms
from .result import LeastSquares


def solve_with_lapack(problem, reason):
    """Solve a `Problem` by gelsd: the singular value decomposition of A.

    Returns
    -------
    LeastSquares
        With x of shape (n, p) and one residual norm a column.
    """
    A, b, (m, n) = dense(problem.A, problem.dtype), problem.b, problem.shape
    count = b.shape[1]
    if problem.sqrt_ridge and m < n:
        # x of the minimum-norm solution (x, y) of A x + sqrt(ridge) y = b
        A = np.hstack([A, problem.sqrt_ridge * np.eye(m, dtype=A.dtype)])
    elif problem.sqrt_ridge:
        A = np.vstack([A, problem.sqrt_ridge * np.eye(n, dtype=A.dtype)])
        b = np.vstack([b, np.zeros((n, count), b.dtype)])
    if not A.size:
        x = np.zeros((n, count), b.dtype)
        return LeastSquares(x, safe_norms(b), 0, 1.0, 0, True, "lapack", reason)
    # gelsd wants at least one right-hand side
    right = b if count else np.zeros((len(b), 1), b.dtype)
    options = {"cond": problem.rcond_lapack, "check_finite": False}
    x, squares, rank, s = scipy.linalg.lstsq(A, right, **options)
    x = x[:n, :count]
    return LeastSquares(
        x=x,
        residual_norm=_residual_norms(problem, squares, x, A[:m, :n]),
        rank=int(rank),
        condition=float(s[0] / s[rank - 1]) if rank else 1.0,
        iterations=0,
        converged=bool(np.isfinite(x).all()),
        method="lapack",
        reason=reason,
    )


def _residual_norms(problem, squares, x, A):
    """|b - A x|: from the squares that gelsd returns, if it does and they are exact."""
    limits = np.finfo(problem.dtype)
    smallest = float(limits.tiny / limits.eps)  # below it squares have lost digits
    returned = len(squares) == x.shape[1] > 0 and not problem.sqrt_ridge
    if returned and np.isfinite(squares).all() and squares.min() > smallest:
        return np.sqrt(squares)
    return safe_norms(problem.b - A @ x)
