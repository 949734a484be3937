"""Block plan: the shape of a chain of layers of any patterns, and its engines."""

from functools import cached_property, partial

import numpy as np

from .._base.memory import frozen
from . import patterns
from .block_engines import BlockColumns, BlockGradient, BlockRows
from .plan import Plan


class BlockPlan(Plan):
    """Patterns, the coordinates used and kept.

    As `BinaryPlan`, which is for power-of-two butterflies; weights are flat, in the
    order of `patterns.views`.
    """

    def __init__(self, pattern, *, inputs=None, outputs=None):
        sizes = patterns.n_out(pattern[-1]), patterns.n_in(pattern[0])
        super().__init__(sizes, pattern, inputs, outputs)
        self.stride = patterns.stride_of(pattern)
        self.widest = max(sizes[0], *map(patterns.n_in, pattern))

    def __reduce__(self):  # kernels do not go into a pickle
        ends = {"inputs": self.inputs, "outputs": self.outputs}
        return partial(BlockPlan, **ends), (self.pattern,)

    @cached_property
    def T(self):
        """Of the transpose."""
        back = patterns.transposed(self.pattern)
        return BlockPlan(back, inputs=self.outputs, outputs=self.inputs)

    @cached_property
    def table(self):
        """Pattern of each layer, and where its packed weights begin."""
        starts = np.cumsum([0, *map(patterns.n_stored, self.pattern)])[:-1]
        rows = [(*layer, p) for layer, p in zip(self.pattern, starts, strict=True)]
        return frozen(np.array(rows, np.intp).reshape(-1))

    def views(self, weights):
        """The blocks of each layer, (a * d, b, c)."""
        return patterns.views(weights, self.pattern)

    def transposed(self, weights):
        """Weights of the transpose."""
        blocks = self.views(weights)[::-1]
        return np.concatenate([layer.swapaxes(1, 2).ravel() for layer in blocks])

    def rows(self, batch, dtype):
        """The engine for so many rows."""
        return self._engine(BlockRows, dtype)

    def columns(self, dtype):
        """The engine for columns."""
        return self._engine(BlockColumns, dtype)

    def gradient(self, batch, dtype):
        """The engine for the gradients of so many rows."""
        return self._engine(BlockGradient, dtype)
