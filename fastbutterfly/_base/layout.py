"""Layout: an axis of an array as columns or as rows, whichever needs no copy."""

import math

import numpy as np

from .arguments import as_size


def is_plain(x, dtype, ndim, size, axis=-1):
    """Whether x is just what the kernels expect: its axis is of the given size."""
    return (
        type(x) is np.ndarray
        and x.dtype is dtype
        and x.ndim == ndim
        and x.shape[axis] == size
        and (flags := x.flags).c_contiguous
        and flags.aligned
    )


def is_plain_target(out, x, size):
    """Whether out is just what the kernels write for plain rows x."""
    return (
        is_plain(out, x.dtype, 2, size)
        and len(out) == len(x)
        and out.flags.writeable
        and not np.may_share_memory(out, x)
    )


def as_axis(axis, ndim):
    """A valid axis of an array with `ndim` dimensions, not negative."""
    found = as_size("axis", axis, least=-ndim)
    if found >= ndim:
        raise ValueError(f"axis must lie in {-ndim} ... {ndim - 1}, got {found}")
    return found % ndim


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


def from_samples(y, axis):
    """The last axis moved to `axis`."""
    return y if axis in (-1, y.ndim - 1) else np.moveaxis(y, -1, axis)


def to_columns(x, axis):
    """View of x as C-ordered (planes, size, columns); None: not so ordered."""
    axis %= x.ndim
    if not x.flags.aligned:
        return None
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
    if not (same and out.flags.aligned) or np.may_share_memory(out, x):
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
    rows = np.ascontiguousarray(x, dtype).reshape(batch, x.shape[-1])
    return rows if rows.flags.aligned else rows.copy()


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
    flags = out.flags
    if axis not in (-1, out.ndim - 1) or not (flags.c_contiguous and flags.aligned):
        return None
    if np.may_share_memory(out, rows):
        return None
    return out.reshape(-1, shape[-1]) if out.size else None


class Rows:
    """Samples along an axis of x as C-ordered rows: `source` (batch, n).

    An engine writes to `target`, or makes its result where that is None; `restore`
    puts the result into place.
    """

    def __init__(self, x, axis, size, dtype, out=None):
        moved = np.moveaxis(x, axis, -1)
        self.source, self._shape = to_rows(moved, dtype), (*moved.shape[:-1], size)
        self._axis, self._out, self.target = axis, out, None
        if out is not None:
            self.target = as_target(out, self.source, self._shape, axis)

    def restore(self, y):
        """Return the result of `apply`: `out`, or y with the axis in its place."""
        if self.target is None:
            y = from_samples(y.reshape(self._shape), self._axis)
        return _written(y, self.target, self._out)


class Columns:
    """Samples along an axis of x as columns: `source` (planes, n, count).

    As `Rows`; `planes` is what `to_columns` gives.
    """

    def __init__(self, planes, x, axis, dtype, out=None):
        self.source = np.ascontiguousarray(planes, dtype)
        self._x, self._axis, self._out, self.target = x, axis, out, None
        if out is not None:
            self.target = as_columns_target(out, x, axis)

    def restore(self, y):
        """Return the result of `apply`: `out`, or y in the order of x."""
        if self.target is None:
            y = from_columns(y, self._x, self._axis)
        return _written(y, self.target, self._out)


def _written(y, target, out):
    if out is None:
        return y
    if target is None:
        out[...] = y
    return out
