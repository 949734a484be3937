"""Arguments of networks and of their training become arrays of one layout."""

import math

import numpy as np

from .._base.arguments import as_real_dtype, as_reals, common_dtype, is_sparse


def as_samples(name, x, n_in, *, sparse=False):
    """Real array of shape (rows, n_in), any dtype and order; n_in None: any width.

    If that is allowed, also a sparse matrix or array of SciPy, as CSR.
    """
    if sparse and is_sparse(x):
        x = x.tocsr()
        as_reals(name, x.data)
    else:
        x = as_reals(name, x)
    width = "n_in" if n_in is None else n_in
    if x.ndim == 1:
        raise ValueError(
            f"{name} must have shape (rows, {width}), got {x.shape}; "
            f"for one sample use {name}[None, :]"
        )
    if x.ndim != 2 or n_in not in (None, x.shape[1]):
        raise ValueError(f"{name} must have shape (rows, {width}), got {x.shape}")
    return x


def rows_of(x, rows):
    """Some rows, by slice or indices, of an array or a CSR matrix; dense."""
    if not isinstance(x, np.ndarray) and is_sparse(x):
        return x[rows].toarray()
    # `take` is faster, but copies all of an array that is not contiguous.
    if isinstance(rows, slice) or not (x.flags.c_contiguous and x.flags.aligned):
        return x[rows]
    return x.take(rows, axis=0)


def blocks(x):
    """Slices of rows, of about 2**18 elements, for checks in bounded memory."""
    rows = max(1, 2**18 // max(1, math.prod(x.shape[1:])))
    return (slice(start, start + rows) for start in range(0, len(x), rows))


def as_batch(x, dtype):
    """C-ordered samples in the layer's dtype; a copy only if one is needed."""
    return np.ascontiguousarray(x, dtype)


def check_finite(name, x, dtype):
    """Raise if a row of x, converted to dtype, holds a NaN or an infinity."""
    values = x.data if is_sparse(x) else x
    if values.dtype.kind != "f":
        return
    for rows in blocks(values):
        with np.errstate(over="ignore"):
            finite = np.isfinite(values[rows].astype(dtype, copy=False))
        if not finite.all():
            first, *columns = np.argwhere(~finite)[0].tolist()
            row = first = rows.start + first
            if is_sparse(x):
                row = int(np.searchsorted(x.indptr, first, side="right")) - 1
            raise ValueError(
                f"{name} must be finite in {np.dtype(dtype)}, got "
                f"{values[(first, *columns)]} in row {row}; "
                "remove or replace such samples"
            )


def as_number(name, value, *, below=math.inf):
    """Python float in [0, below)."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < below:
        limit = "finite" if below == math.inf else f"below {below}"
        raise ValueError(
            f"{name} must be a number, at least 0 and {limit}, got {value!r}"
        )
    return number


def as_positive(name, value):
    """Python float in (0, inf)."""
    number = as_number(name, value)
    if not number:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return number


def as_rate(name, value):
    """A schedule, step -> float, or a Python float of at least 0."""
    return value if callable(value) else as_number(name, value)


def as_weights(name, value, ndims):
    """None, or a float64 array of positive elements, its ndim among `ndims`."""
    if value is None:
        return None
    value = as_reals(name, value)
    if value.ndim not in ndims:
        allowed = " or ".join("(n_out,)" if ndim else "()" for ndim in ndims)
        raise ValueError(f"{name} must have shape {allowed}, got {value.shape}")
    wrong = ~((value > 0) & (value < math.inf))
    if wrong.any():
        raise ValueError(
            f"{name} must be positive and finite, got {value[wrong].ravel()[0]}"
        )
    return value.astype(np.float64)


def as_sample_weight(name, value, rows):
    """A float64 array (rows,) of finite weights of at least 0."""
    value = as_reals(name, value)
    if value.shape != (rows,):
        raise ValueError(
            f"{name} must have one number a sample, shape ({rows},), got {value.shape}"
        )
    wrong = ~((value >= 0) & (value < math.inf))
    if wrong.any():
        raise ValueError(
            f"{name} must be finite and at least 0, got {value[wrong][0]} for sample "
            f"{np.flatnonzero(wrong)[0]}"
        )
    value = value.astype(np.float64, copy=False)
    with np.errstate(over="ignore"):
        total = value.sum()
    if total == math.inf:
        raise ValueError(
            f"{name} must have a finite sum, got numbers up to {value.max():.3g}; "
            "divide them by their largest"
        )
    return value


def check_data(name_x, x, name_y, y, net, loss):
    """Return samples and targets for `net` as arrays, or raise."""
    x = as_samples(name_x, x, net.n_in, sparse=True)
    if not x.shape[0]:
        raise ValueError(f"{name_x} must hold at least one sample, got {x.shape}")
    y = loss.targets(name_y, y, x.shape[0], net.n_out)
    check_finite(name_x, x, net.dtype)
    check_finite(name_y, y, net.dtype)
    return x, y


def check_weights(name, value, rows):
    """None, or weights of samples that are not all 0, or raise."""
    if value is None:
        return None
    value = as_sample_weight(name, value, rows)
    if not value.any():
        raise ValueError(f"{name} must not be all zero")
    return value


def as_flag(name, value):
    """Python bool from True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def as_matrix(name, W, dtype=None):
    """Finite weights (n_in, n_out), and a dtype for them: W's own if it is None."""
    W = as_reals(name, W)
    if W.ndim != 2 or not W.size:
        raise ValueError(f"{name} must have shape (n_in, n_out), got {W.shape}")
    dtype = as_real_dtype(common_dtype(np.float32, W) if dtype is None else dtype)
    check_finite(name, W, dtype)
    return W, dtype


def as_optional_vector(name, value, size):
    """None, or a real array of shape (size,)."""
    if value is None:
        return None
    value = as_reals(name, value)
    if value.shape != (size,):
        raise ValueError(f"{name} must have shape ({size},), got {value.shape}")
    return value


def take(name, values, key, kind):
    """values[key], which must be of exactly the type `kind`."""
    value = values.get(key) if isinstance(values, dict) else None
    if type(value) is not kind:
        raise ValueError(
            f"{name} needs {key!r}, of type {kind.__name__}, got {value!r}"
        )
    if kind is int and value < 1:
        raise ValueError(f"{name} needs a positive {key!r}, got {value}")
    return value
