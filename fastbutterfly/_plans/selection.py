"""Coordinates: those that an input fills and an output keeps, among all of an end."""

from functools import cached_property

import numpy as np

from .._base.memory import aligned, frozen
from .._kernels.gather import take


class End:
    """One end of an operator, with `size` coordinates; of those used, the indices.

    None: all, in order.
    """

    def __init__(self, size, index):
        self.size, self.index = size, index
        self.count = size if index is None else len(index)

    @cached_property
    def _is_first(self):
        """Whether it is the first few."""
        return np.array_equal(self.index, np.arange(self.count))

    @cached_property
    def _source(self):
        """Which number each coordinate gets, -1 for none."""
        source = np.full(self.size, -1)
        source[self.index] = np.arange(self.count)
        return frozen(source)

    def spread(self, x):
        """Rows of all coordinates, read-only; zeros where x has none."""
        if self.index is None:
            return frozen(x)
        full = aligned((len(x), self.size), x.dtype)
        if self._is_first:
            full[:, : self.count], full[:, self.count :] = x, 0
        else:
            flat = frozen(x).reshape(-1), self._source, full.reshape(-1)
            take(*flat, self.count)
        return frozen(full)

    def pick(self, y, out=None):
        """Rows of the numbers that are used; y itself if all are."""
        if self.index is None:
            return y
        out = aligned((len(y), self.count), y.dtype) if out is None else out
        take(frozen(y).reshape(-1), self.index, out.reshape(-1), self.size)
        return out

    def spread_columns(self, x):
        """As `spread`, for planes (size, columns)."""
        if self.index is None:
            return frozen(x)
        full = np.zeros((len(x), self.size, x.shape[2]), x.dtype)
        full[:, self.index] = x
        return frozen(full)

    def pick_columns(self, y, out=None):
        """As `pick`, for planes (size, columns)."""
        if self.index is None:
            return y
        return y.take(self.index, axis=1, out=out, mode="wrap")
