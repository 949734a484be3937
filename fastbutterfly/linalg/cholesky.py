"""Gram: R of B = Q R as the Cholesky factor of B^H B, in a third of the time of QR."""

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import get_lapack_funcs

from .least_squares.products import adjoint

WORST = 0.1  # condition, times root(eps), to which Cholesky factors serve


def triangle(B, ridge=0.0):
    """R with R^H R = B^H B + ridge^2 I; None where that is too rough.

    Columns are scaled to length 1 before; then the error is eps times the square of the
    condition.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        G = adjoint(B) @ B
    G.flat[:: len(G) + 1] += ridge**2
    limits, squares = np.finfo(B.dtype), np.diagonal(G).real
    if not (squares.size and limits.tiny < limits.eps * squares.min()):
        return None
    if not np.isfinite(squares).all():
        return None
    lengths = np.sqrt(squares)
    G /= lengths
    G /= lengths[:, np.newaxis]
    try:
        R = scipy.linalg.cholesky(G, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    if get_lapack_funcs("trcon", (R,))(R)[0] < limits.eps**0.5 / WORST:
        return None
    R *= lengths
    return R
