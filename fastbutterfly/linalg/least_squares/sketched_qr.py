"""R of S A = Q R, for a sketch S and A of any kind."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..._base.arguments import is_sparse
from ...sketch import Sketch
from ..arguments import adjoint, default_sketch
from ..cholesky import cholesky_factor
from .column_norms import safe_norms

PRODUCT_ELEMENTS = 1 << 22  # of the product with an operator that is held at a time


class SketchedQR(NamedTuple):
    """The QR factorisation of a sketched problem, without Q.

    Attributes
    ----------
    R : array, shape (n, n)
        Upper triangular factor of S A, or of [S A; sqrt(ridge) I].
    right : array, shape (n, p)
        Q^H S b, with zeros below S b if there is a ridge.
    """

    R: NDArray
    right: NDArray


def sketched_triangle(A, rng):
    """R of the default sketch of A, or of its adjoint if A is wide."""
    A = A if A.shape[0] >= A.shape[1] else adjoint(A)
    dtype = np.dtype(A.dtype or np.float64)
    return sketched_qr(A, None, default_sketch(*A.shape, rng), dtype).R


def sketched_qr(A, b, S, dtype, *, sqrt_ridge=0.0, rescale=False):
    """Factor the sketch of a tall problem, with a ridge of [A; sqrt(ridge) I].

    Parameters
    ----------
    A : array, sparse array or LinearOperator, shape (m, n)
    b : array, shape (m, p), or None
        None: no right-hand sides.
    S : Sketch or LinearOperator, shape (l, m)
    dtype : dtype
        Of the result.
    sqrt_ridge : float
    rescale : bool
        True: multiply S by the factor that preserves the norm of a random product with
        A; beside a ridge the scale of a sketch matters.

    Returns
    -------
    SketchedQR
    """
    n = A.shape[1]
    B = _product(S, A, dtype).astype(dtype, copy=False)
    c = (S @ b if b is not None else B[:, :0]).astype(dtype, copy=False)
    if rescale:
        scale = _scale(A, B)
        B, c = scale * B, scale * c
    R = cholesky_factor(B, sqrt_ridge)
    if R is not None:  # exact enough, as it only preconditions and gives the start
        options = {"trans": "C", "check_finite": False}
        right = scipy.linalg.solve_triangular(R, adjoint(B) @ c, **options)
        return SketchedQR(R, right)
    stacked = np.hstack([B, c])
    if sqrt_ridge:
        below = np.zeros((n, stacked.shape[1]), dtype)
        below[:, :n] = sqrt_ridge * np.eye(n)
        stacked = np.vstack([stacked, below])
    R = np.linalg.qr(stacked, mode="r")
    return SketchedQR(R[:n, :n], R[:n, n:])


def _scale(A, B):
    """|A v| / |B v| for a random v, 1 if B v is zero."""
    v = np.random.default_rng(0).standard_normal((B.shape[1], 1)).astype(B.dtype)
    sketched, exact = safe_norms(B @ v)[0], safe_norms(A @ v)[0]
    return float(exact / sketched) if sketched else 1.0


def _product(S, A, dtype):
    """S A; of an operator, or by one, some columns at a time: n products with A."""
    if isinstance(A, np.ndarray) or (isinstance(S, Sketch) and is_sparse(A)):
        return S @ A
    # Real also for a complex dtype: products with a real operator then stay real.
    unit = np.eye(A.shape[1], dtype=np.finfo(dtype).dtype)
    count = max(PRODUCT_ELEMENTS // A.shape[0], 1)
    starts = range(0, len(unit), count)
    return np.hstack([S @ (A @ unit[:, i : i + count]) for i in starts])
