"""The boundary: arguments from the outside become what the kernels expect, or an error.

Each argument has one normaliser, which owns its error message.
"""

import math
import operator

import numpy as np

REAL = {"float32": np.dtype(np.float32), "float64": np.dtype(np.float64)}
DTYPES = {
    **REAL,
    "complex64": np.dtype(np.complex64),
    "complex128": np.dtype(np.complex128),
}


def as_dtype(dtype, allowed=DTYPES):
    """One of the dtypes that kernels compute in."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in allowed.values():
        *most, last = allowed
        names = f"{', '.join(most)} or {last}"
        raise ValueError(f"dtype must be {names}, got {dtype!r}")
    return np.dtype(found.name)


def as_real_dtype(dtype):
    """float32 or float64."""
    return as_dtype(dtype, REAL)


def as_size(name, value, least=1):
    """A Python int of at least `least`."""
    try:
        size = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name} must be an int, got {value!r} of type {type(value).__name__}"
        ) from None
    if size < least:
        raise ValueError(f"{name} must be at least {least}, got {size}")
    return size


def as_list(name, values):
    """A list of what the sequence holds."""
    try:
        return list(values)
    except TypeError:
        raise TypeError(
            f"{name} must be a sequence, got {type(values).__name__}"
        ) from None


OTHER_SIZES = "use fastbutterfly.truncated for other sizes"


def as_power_of_two(name, value, otherwise=OTHER_SIZES):
    """A size that is a power of two."""
    n = as_size(name, value)
    if n & (n - 1):
        raise ValueError(f"{name} must be a power of two, got {n}; {otherwise}")
    return n


def as_choice(name, value, choices):
    """The entry of the dict `choices` that the string `value` names."""
    try:
        return choices[value]
    except (KeyError, TypeError):
        known = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {known}, got {value!r}") from None


def as_generator(rng):
    """A numpy.random.Generator from None, an int or a Generator."""
    if rng is None or isinstance(rng, np.random.Generator):
        return np.random.default_rng(rng)
    try:
        return np.random.default_rng(operator.index(rng))
    except (TypeError, ValueError):
        raise TypeError(
            "rng must be None, a non-negative int or a numpy.random.Generator, "
            f"got {rng!r}"
        ) from None


def as_numbers(name, value, kinds="fiubc"):
    """An array of numbers; lists are converted, nothing else is."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array; call its filled() first")
    if is_sparse(value):
        raise TypeError(f"{name} must not be sparse; call its toarray() first")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array: {error}") from None
    most = 16 if array.dtype.kind == "c" else 8
    if array.dtype.kind not in kinds or array.dtype.itemsize > most:
        what = "real or complex" if "c" in kinds else "real"
        raise TypeError(
            f"{name} must hold {what} numbers of at most double precision, "
            f"got dtype {array.dtype}; convert it first"
        )
    return array


def as_reals(name, value):
    """An array of real numbers."""
    return as_numbers(name, value, kinds="fiub")


def is_sparse(x):
    """Whether x is a sparse matrix or array of SciPy."""
    return hasattr(x, "tocsr")


def dense(x):
    """x as an array, of a sparse matrix too."""
    return x.toarray() if is_sparse(x) else x


def all_finite(array):
    """Whether an array holds no NaN or infinity."""
    # A sum shows a NaN or an infinity; only if it overflows by itself look closer.
    return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def is_plain(x, dtype, ndim, size):
    """Whether x is just what the kernels expect, and needs no look closer."""
    return (
        type(x) is np.ndarray
        and x.dtype is dtype
        and x.ndim == ndim
        and x.shape[-1] == size
        and x.flags.c_contiguous
    )


def is_plain_target(out, x, size):
    """Whether out is just what the kernels write for plain rows x."""
    return (
        is_plain(out, x.dtype, 2, size)
        and len(out) == len(x)
        and out.flags.writeable
        and not np.may_share_memory(out, x)
    )


def common_dtype(dtype, *arrays):
    """np.result_type of the operator and its arguments; integers count as float64."""
    kinds = [a.dtype if a.dtype.kind in "fc" else np.float64 for a in arrays]
    return np.result_type(dtype, *kinds)


def as_axis(axis, ndim):
    """A valid axis of an array with `ndim` dimensions, not negative."""
    found = as_size("axis", axis, least=-ndim)
    if found >= ndim:
        raise ValueError(f"axis must lie in {-ndim} ... {ndim - 1}, got {found}")
    return found % ndim


def as_index(name, value, n):
    """A read-only array of different indices below n; None when they are 0 ... n-1."""
    if value is None:
        return None
    try:
        index = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be one-dimensional: {error}") from None
    if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
        raise TypeError(
            f"{name} must be None or a one-dimensional array of ints, "
            f"got shape {index.shape}, dtype {index.dtype}"
        )
    if not index.size:
        raise ValueError(f"{name} must not be empty")
    if index.min() < 0 or index.max() >= n:
        raise ValueError(
            f"{name} must lie in 0 ... {n - 1}, got {index.min()} ... {index.max()}"
        )
    if len(np.unique(index)) != len(index):
        raise ValueError(f"{name} must not repeat an index")
    index = immutable(index.astype(np.intp, copy=False))
    return None if np.array_equal(index, np.arange(n)) else index


def aligned(shape, dtype):
    """An empty C-ordered array that starts at a cache line."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    room = np.empty(size + 64 // dtype.itemsize, dtype)
    start = -room.__array_interface__["data"][0] % 64 // dtype.itemsize
    return room[start : start + size].reshape(shape)


def frozen(array):
    """A read-only view."""
    view = array.view()
    view.setflags(False)
    return view


def immutable(array):
    """A C-ordered copy that cannot be made writeable again."""
    if not array.size:
        return array.copy()  # NumPy makes no view of an empty buffer
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def sample_axis(name, x, axis, size):
    """A valid axis of x, not negative, of the given size."""
    if x.ndim == 0:
        raise ValueError(f"{name} must have at least one dimension, got a number")
    axis = as_axis(axis, x.ndim)
    if x.shape[axis] != size:
        raise ValueError(
            f"{name} must have {size} elements along axis {axis}, got shape {x.shape}"
        )
    return axis


def to_samples(name, x, axis, size):
    """View of x with `axis`, of the given size, moved last."""
    axis = sample_axis(name, x, axis, size)
    return x if axis == x.ndim - 1 else np.moveaxis(x, axis, -1)


def from_samples(y, axis):
    """Inverse of `to_samples`: the last axis moved to `axis`."""
    return y if axis in (-1, y.ndim - 1) else np.moveaxis(y, -1, axis)


def to_columns(x, axis):
    """View of x as C-ordered (planes, size, columns); None: not so ordered."""
    axis %= x.ndim
    if not x.flags.c_contiguous:
        if not x.flags.f_contiguous:
            return None
        x, axis = x.T, x.ndim - 1 - axis
    if axis == x.ndim - 1:
        return None
    planes, columns = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    return x.reshape(planes, x.shape[axis], columns)


def as_columns_target(out, x, axis):
    """View of `out` as `to_columns` gives x; None if a copy is needed."""
    same = x.flags.c_contiguous == out.flags.c_contiguous
    if not same or np.may_share_memory(out, x):
        return None
    return to_columns(out, axis)


def from_columns(y, like, axis):
    """Result (planes, size, columns) in the order of what `to_columns` was given."""
    axis %= like.ndim
    shape = [*like.shape[:axis], y.shape[1], *like.shape[axis + 1 :]]
    return y.reshape(shape) if like.flags.c_contiguous else y.reshape(shape[::-1]).T


def to_rows(x, dtype):
    """C-ordered (batch, size) array of `dtype`; a copy only where one is needed."""
    batch = math.prod(x.shape[:-1])
    return np.ascontiguousarray(x, dtype).reshape(batch, x.shape[-1])


def check_out(out, shape, dtype):
    """Raise unless `out` can take a result of this shape and dtype."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(
            f"out must have shape {shape} and dtype {dtype}, "
            f"got {out.shape} and {out.dtype}"
        )
    steps = zip(out.strides, shape, strict=True)
    if out.size and any(step == 0 < size - 1 for step, size in steps):
        raise ValueError("out must not use the same memory for several elements")
    if not out.flags.writeable:
        raise ValueError("out must be writeable, got a read-only array")


def as_target(out, rows, shape, axis):
    """View of `out` as the rows of a result of this shape; None if a copy is needed."""
    if axis not in (-1, out.ndim - 1) or not out.flags.c_contiguous:
        return None
    if np.may_share_memory(out, rows):
        return None
    return out.reshape(-1, shape[-1]) if out.size else None
