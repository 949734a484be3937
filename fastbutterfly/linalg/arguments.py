"""The boundary of the solvers: matrices, right-hand sides, sketches."""

import numpy as np
import scipy.sparse

from .._base import arguments
from .._base.arguments import all_finite, as_numbers, common_dtype, is_sparse
from ..sketch import Sketch, sparse
from .least_squares.products import adjoint

FEWEST, MOST, SHARE = 6, 16, 5  # rows of a sketch for each unknown; of all rows, 1/5
NONZEROS = 4  # in each of its columns; with 8 it takes twice as long, for 5% less steps


def as_operator(name, A, check_finite=True, both=False):
    """A matrix: an array of floats, a sparse array as CSR, or a LinearOperator.

    For `both` an operator must have products with its adjoint.
    """
    if hasattr(A, "rmatmat") and not isinstance(A, np.ndarray):
        if both:
            adjoint_product(name, A, np.zeros(A.shape[0], A.dtype or np.float64))
        return A
    if is_sparse(A):
        A = A.tocsr()
        if not A.has_canonical_format:  # entries that occur several times
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


def adjoint_product(name, A, X, otherwise=""):
    """A^H X; `otherwise`: what else to do where an operator does not have it."""
    try:
        return adjoint(A) @ X
    except (NotImplementedError, TypeError, AttributeError) as error:
        raise TypeError(
            f"{name} must have products with its adjoint, but {type(A).__name__} has "
            f"no rmatvec that works; give one to LinearOperator{otherwise}"
        ) from error


def check_finite_values(name, values):
    """Raise if there is a NaN or an infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not all_finite(values):
            raise ValueError(f"{name} must be finite, but holds a NaN or an infinity")


def as_problem(A, b, check_finite):
    """A and b of one dtype, with the same number of rows."""
    A, b = as_operator("A", A, check_finite, both=True), as_numbers("b", b)
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
    """A function (m, n, rng) -> sketch for a tall matrix of this shape."""
    small, large = sorted(shape)
    if sketch is None:
        return None
    found = getattr(sketch, "shape", None)
    if found is None or len(found) != 2 or found[1] != large or found[0] < small:
        raise ValueError(
            f"sketch must have shape (l, {large}) with l at least {small}, got "
            f"{found or type(sketch).__name__}"
        )
    if np.dtype(sketch.dtype or dtype).kind == "c" != dtype.kind:
        raise ValueError("sketch must be real where A and b are, but is complex")
    if not isinstance(sketch, Sketch) and not hasattr(sketch, "rmatmat"):
        sketch = Sketch(sketch)
    return lambda m, n, rng: sketch


def default_sketch(m, n, rng):
    """A sparse sign sketch of a matrix (m, n); of one that is not long, itself."""
    count = min(max(FEWEST * n, m // SHARE), MOST * n) + 10
    if count >= m:  # a square sketch is ill-conditioned, or singular
        return Sketch(scipy.sparse.eye_array(m))
    return sparse(count, m, nonzeros=NONZEROS, rng=rng)


def dense(A, dtype):
    """What `as_operator` returns, as an array."""
    if hasattr(A, "rmatmat"):
        return A @ np.eye(A.shape[1], dtype=dtype)
    return arguments.dense(A)
