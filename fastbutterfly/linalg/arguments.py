"""The arguments of the solvers: matrices, right-hand sides, sketches."""

import numpy as np
import scipy.sparse

from .._base import arguments
from .._base.arguments import all_finite, as_numbers, common_dtype, is_sparse
from ..sketch import Sketch, sparse

# The default sketch of a matrix (m, n) has about m / ROW_DIVISOR rows: the taller A is,
# the more an iteration, O(m n), costs beside the factor, O(l n^2) for l rows, and more
# rows save iterations. At least 6 n bound the distortion by about 1/sqrt(6), at most
# 16 n bound the time of the factor; EXTRA_ROWS matter where n is small.
MIN_ROWS_PER_UNKNOWN, MAX_ROWS_PER_UNKNOWN, ROW_DIVISOR, EXTRA_ROWS = 6, 16, 5, 10
# In each column of the sketch. With 8 it takes twice as long, for 5% fewer iterations.
NONZEROS = 4


def as_operator(name, A, check_finite=True, needs_adjoint=False):
    """A matrix: an array of floats, a sparse array as CSR, or a LinearOperator.

    Parameters
    ----------
    name : str
        Of the argument, for error messages.
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
    check_finite : bool
        Whether to look for NaN and infinities.
    needs_adjoint : bool
        True: refuse an operator that has no products with its adjoint.

    Raises
    ------
    ValueError, TypeError
        If A is not as described.
    """
    if hasattr(A, "rmatmat") and not isinstance(A, np.ndarray):
        if needs_adjoint:
            adjoint_product(name, A, np.zeros(A.shape[0], A.dtype or np.float64))
        return A
    if is_sparse(A):
        A = A.tocsr()
        if not A.has_canonical_format:  # it holds several values for an entry
            A = A.copy()
            A.sum_duplicates()
        values = as_numbers(f"{name}.data", A.data)
    else:
        A = values = as_numbers(name, A)
    if len(A.shape) != 2:
        raise ValueError(f"{name} must be a matrix, got shape {A.shape}")
    if check_finite:
        check_finite_values(name, values)
    return A.astype(common_dtype(np.float32, values), copy=False)


def adjoint(A):
    """A^H, as a view where A is a real array."""
    if hasattr(A, "rmatmat"):
        return A.H
    return A.conj().T if A.dtype.kind == "c" else A.T


def adjoint_product(name, A, X, alternative=""):
    """A^H X; `alternative` ends the error message of an operator that cannot do it."""
    try:
        return adjoint(A) @ X
    except (NotImplementedError, TypeError, AttributeError) as error:
        raise TypeError(
            f"{name} must have products with its adjoint, but {type(A).__name__} has "
            f"no rmatvec that works; give one to LinearOperator{alternative}"
        ) from error


def check_finite_values(name, values):
    """Raise if there is a NaN or an infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not all_finite(values):
            raise ValueError(f"{name} must be finite, but holds a NaN or an infinity")


def as_problem(A, b, check_finite):
    """A and b of one dtype, with the same number of rows."""
    A = as_operator("A", A, check_finite, needs_adjoint=True)
    b = as_numbers("b", b)
    if b.ndim not in (1, 2) or len(b) != A.shape[0]:
        raise ValueError(
            f"b must have shape ({A.shape[0]},) or ({A.shape[0]}, p) for A of shape "
            f"{A.shape}, got {b.shape}"
        )
    if check_finite:
        check_finite_values("b", b)
    dtype = common_dtype(A.dtype or np.float64, b)
    if not hasattr(A, "rmatmat"):
        A = A.astype(dtype, copy=False)
    return A, b.astype(dtype, copy=False)


def as_sketch(sketch, shape, dtype):
    """A sketch of a matrix of this shape, or of its adjoint if it is wide; or None."""
    small, large = sorted(shape)
    if sketch is None:
        return None
    given = getattr(sketch, "shape", None)
    if given is None or len(given) != 2 or given[1] != large or given[0] < small:
        raise ValueError(
            f"sketch must have shape (l, {large}) with l at least {small}, got "
            f"{given or type(sketch).__name__}"
        )
    if np.dtype(sketch.dtype or dtype).kind == "c" != dtype.kind:
        raise ValueError("sketch must be real where A and b are, but is complex")
    if not isinstance(sketch, Sketch) and not hasattr(sketch, "rmatmat"):
        sketch = Sketch(sketch)
    return sketch


def default_sketch(m, n, rng):
    """A sparse sign sketch of a matrix (m, n), or the identity if that is not tall."""
    preferred = max(MIN_ROWS_PER_UNKNOWN * n, m // ROW_DIVISOR)
    rows = min(preferred, MAX_ROWS_PER_UNKNOWN * n) + EXTRA_ROWS
    if rows >= m:  # a square random sketch is ill-conditioned, or singular
        return Sketch(scipy.sparse.eye_array(m))
    return sparse(rows, m, nonzeros=NONZEROS, rng=rng)


def dense(A, dtype):
    """The result of `as_operator` as an array; of an operator by n products."""
    if hasattr(A, "rmatmat"):
        return A @ np.eye(A.shape[1], dtype=dtype)
    return arguments.dense(A)
