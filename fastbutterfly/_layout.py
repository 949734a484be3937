"""Layout: an axis of an array as columns or as rows, whichever needs no copy."""

import numpy as np

from . import _arrays


def along(x, axis, size, dtype, out, takes_columns, columns, rows):
    """Apply along an axis, not negative, what maps it to `size` coordinates.

    Parameters
    ----------
    x, out : array, array or None
        `out` fits, see `_arrays.check_out`.
    takes_columns : callable
        Planes (planes, n, columns) -> whether `columns` can do it without a copy.
    columns, rows : callable
        (C-ordered planes, or rows, of `dtype`; where to write, or None) -> result.
    """
    planes = _arrays.to_columns(x, axis)
    if planes is not None and takes_columns(planes):
        planes = np.ascontiguousarray(planes, dtype)
        target = None if out is None else _arrays.as_columns_target(out, x, axis)
        y = columns(planes, target)
        y = y if target is not None else _arrays.from_columns(y, x, axis)
    else:
        moved = np.moveaxis(x, axis, -1)
        flat, shape = _arrays.to_rows(moved, dtype), (*moved.shape[:-1], size)
        target = None if out is None else _arrays.as_target(out, flat, shape, axis)
        y = rows(flat, target)
        if target is None:
            y = _arrays.from_samples(y.reshape(shape), axis)
    if out is None or target is not None:
        return y if out is None else out
    out[...] = y
    return out
