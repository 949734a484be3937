"""Sketched: the triangle R of S A = Q R, for a sketch S and A of any kind."""

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import get_lapack_funcs

from .._arrays import is_sparse
from ..sketch import Sketch
from ._lsqr import norms
from ._matrix import adjoint

BLOCK = 1 << 22  # numbers of a product with an operator at a time
WORST = 0.1  # condition, times root(eps), to which Cholesky factors serve


def sketched_triangle(A, sketch, rng):
    """R of the sketch of A, or of its adjoint if A is wide."""
    A = A if A.shape[0] >= A.shape[1] else adjoint(A)
    dtype = np.dtype(A.dtype or np.float64)
    return triangle_of(A, None, 0.0, sketch(*A.shape, rng), dtype)[0]


def triangle_of(A, b, ridge, S, dtype, rescaled=False):
    """R of the sketched A above `ridge` times I, and Q^H times the sketched b.

    `rescaled`: of the multiple of S that keeps the length of a random product with A.
    """
    n = A.shape[1]
    B = _sketched(S, A, dtype).astype(dtype, copy=False)
    c = (S @ b if b is not None else B[:, :0]).astype(dtype, copy=False)
    if rescaled:
        scale = _scale(A, B)
        B, c = scale * B, scale * c
    found = _by_gram(B, c, ridge)
    if found is not None:
        return found
    stacked = np.hstack([B, c])
    if ridge:
        below = np.zeros((n, stacked.shape[1]), dtype)
        below[:, :n] = ridge * np.eye(n)
        stacked = np.vstack([stacked, below])
    R = np.linalg.qr(stacked, mode="r")
    return R[:n, :n], R[:n, n:]


def _scale(A, B):
    """|A v| / |B v| for a random v, 1 if B is zero."""
    v = np.random.default_rng(0).standard_normal((B.shape[1], 1)).astype(B.dtype)
    short, long = norms(B @ v)[0], norms(A @ v)[0]
    return float(long / short) if short else 1.0


def _by_gram(B, c, ridge):
    """The Cholesky factor of B^H B and its share of c; None where that is too rough.

    It takes a third of the time of a QR decomposition. Columns are scaled to length 1
    before; then the error is eps times the square of the condition, and R need only be
    good enough to precondition.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        G = adjoint(B) @ B
    G.flat[:: len(G) + 1] += ridge**2
    lengths = np.sqrt(np.diagonal(G).real)
    if not (np.isfinite(lengths).all() and lengths.all()):
        return None
    G /= lengths
    G /= lengths[:, np.newaxis]
    try:
        R = scipy.linalg.cholesky(G, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    if get_lapack_funcs("trcon", (R,))(R)[0] < np.finfo(R.dtype).eps ** 0.5 / WORST:
        return None
    right = (adjoint(B) @ c) / lengths[:, np.newaxis]
    right = scipy.linalg.solve_triangular(R, right, trans="C", check_finite=False)
    R *= lengths
    return R, right


def _sketched(S, A, dtype):
    """S A; of an operator, or by one, some columns at a time: n products with A."""
    if isinstance(A, np.ndarray) or (isinstance(S, Sketch) and is_sparse(A)):
        return S @ A
    unit = np.eye(A.shape[1], dtype=np.finfo(dtype).dtype)  # real
    count = max(BLOCK // A.shape[0], 1)
    starts = range(0, len(unit), count)
    return np.hstack([S @ (A @ unit[:, i : i + count]) for i in starts])
