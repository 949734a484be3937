"""Arguments from the outside become what the library expects, or an error.

Each argument has one normaliser, which owns its error message.
"""

import operator

import numpy as np

from .memory import immutable

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
    # `np.add.reduce` is the same sum as `array.sum()`, without its overhead.
    total = np.add.reduce(array, axis=None)
    return bool(np.isfinite(total) or np.isfinite(array).all())


def common_dtype(dtype, *arrays):
    """np.result_type of the operator and its arguments; integers count as float64."""
    kinds = [a.dtype if a.dtype.kind in "fc" else np.float64 for a in arrays]
    return np.result_type(dtype, *kinds)


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
