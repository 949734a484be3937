"""Memory: arrays that start at a cache line, and arrays that nobody can change."""

import math
from ctypes import addressof, c_char

import numpy as np

MAX_KEPT_BYTES = 1 << 18  # of a buffer that is kept between calls


def aligned(shape, dtype):
    """An empty C-ordered array that starts at a cache line."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    room = np.empty(size + 64 // dtype.itemsize, dtype)
    # Three times as fast as asking NumPy, whose answer describes the whole array.
    address = addressof(c_char.from_buffer(room))
    start = -address % 64 // dtype.itemsize
    return room[start : start + size].reshape(shape)


class Scratch:
    """Buffers that calls reuse, of at most so many elements.

    A call takes one and gives it back, so that two threads never have the same. Large
    ones are made for each call.
    """

    def __init__(self, size, dtype):
        self._dtype, self._free = dtype, []
        self._size = size if size * dtype.itemsize <= MAX_KEPT_BYTES else 0

    def take(self, size):
        """A buffer of at least so many elements, whose contents are undefined."""
        if size > self._size:
            return aligned(size, self._dtype)
        try:
            return self._free.pop()
        except IndexError:
            return aligned(self._size, self._dtype)

    def give(self, buffer):
        """Let the next call have it."""
        if len(buffer) == self._size:
            self._free.append(buffer)


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
