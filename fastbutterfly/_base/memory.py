"""Memory: arrays that start at a cache line, and arrays that nobody can change."""

import math

import numpy as np


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
