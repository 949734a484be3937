"""Sketched: the triangle R of S A = Q R, for a sketch S and A of any kind."""

import numpy as np
import scipy.linalg

from ..._base.arguments import is_sparse
from ...sketch import Sketch
from ..cholesky import triangle
from .lsqr import norms
from .products import adjoint

BLOCK = 1 << 22  # numbers of a product with an operator at a time


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
    R = triangle(B, ridge)
    if R is not None:  # it need only be good enough to precondition
        options = {"trans": "C", "check_finite": False}
        return R, scipy.linalg.solve_triangular(R, adjoint(B) @ c, **options)
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


def _sketched(S, A, dtype):
    """S A; of an operator, or by one, some columns at a time: n products with A."""
    if isinstance(A, np.ndarray) or (isinstance(S, Sketch) and is_sparse(A)):
        return S @ A
    unit = np.eye(A.shape[1], dtype=np.finfo(dtype).dtype)  # real
    count = max(BLOCK // A.shape[0], 1)
    starts = range(0, len(unit), count)
    return np.hstack([S @ (A @ unit[:, i : i + count]) for i in starts])
