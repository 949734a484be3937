"""Selection: the coordinates that an input fills, or that an output keeps."""

from functools import cached_property

import numpy as np

from .._base.memory import aligned, frozen
from .._kernels.gather import take


class Selection:
    """Indices among the `size` coordinates at one end of an operator.

    None: all, in order.
    """

    def __init__(self, size, index):
        self.size, self.index, self.is_all = size, index, index is None
        self.count = size if index is None else len(index)

    @cached_property
    def _is_leading(self):
        """Whether the first coordinates are selected, in order."""
        return np.array_equal(self.index, np.arange(self.count))

    @cached_property
    def _source(self):
        """Which element each coordinate gets, -1 for none."""
        source = np.full(self.size, -1)
        source[self.index] = np.arange(self.count)
        return frozen(source)

    def spread(self, x):
        """Rows of all coordinates, read-only; zeros where x has none."""
        if self.is_all:
            return frozen(x)
        full = aligned((len(x), self.size), x.dtype)
        if self._is_leading:
            full[:, : self.count], full[:, self.count :] = x, 0
        else:
            take(frozen(x).ravel(), self._source, full.ravel(), self.count)
        return frozen(full)

    def pick(self, y, out=None):
        """Rows of the selected coordinates; y itself if all are selected."""
        if self.is_all:
            return y
        out = aligned((len(y), self.count), y.dtype) if out is None else out
        take(frozen(y).ravel(), self.index, out.ravel(), self.size)
        return out

    def spread_vector(self, x):
        """As `spread`, for one vector and not all coordinates."""
        full = np.zeros(self.size, x.dtype)
        full[self.index] = x
        return frozen(full)

    def spread_columns(self, x):
        """As `spread`, for planes (size, columns)."""
        if self.is_all:
            return frozen(x)
        full = np.zeros((len(x), self.size, x.shape[2]), x.dtype)
        full[:, self.index] = x
        return frozen(full)

    def pick_columns(self, y, out=None):
        """As `pick`, for planes (size, columns)."""
        if self.is_all:
            return y
        return y.take(self.index, axis=1, out=out, mode="wrap")
