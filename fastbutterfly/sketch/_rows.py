"""Products S @ X by blocks of rows of X: which blocks, and what each adds."""

import numpy as np

from .._arrays import frozen
from .._kernels.order import add_rows
from .._paths import Paths
from .._plan import Plan
from ..butterfly import Butterfly

LARGE = 1 << 24  # numbers of X from which it is worked on by blocks


class MatrixRows:
    """A dense or sparse S; blocks of so many rows."""

    def __init__(self, S, rows):
        self.S, n = S, S.shape[1]
        self.parts = [slice(i, min(i + rows, n)) for i in range(0, n, rows)]

    def add(self, part, block, y):
        """y += S[:, part] @ block."""
        y += self.S[:, part] @ block


class ButterflyRows:
    """A butterfly with increasing strides; blocks of 2^q rows, as many or fewer.

    The layers with the q smallest strides act within such a block. They are applied to
    it alone, at the coordinates that outputs need; above, a single path leads from a
    block to an output, so that the rest is a product of weights for each.
    """

    def __init__(self, S, rows):
        n, self.count = S.plan.n, S.shape[1]
        self.S, self.levels = S, min(rows.bit_length() - 1, S.depth)
        size = 1 << self.levels
        self.parts = [
            slice(i, min(i + size, self.count)) for i in range(0, self.count, size)
        ]
        kept = np.arange(n) if S.outputs is None else S.outputs
        paths = Paths(n, kept, self.levels, True)
        weights = np.ascontiguousarray(S.weights).reshape(-1)
        factors = paths.leaves(paths.products(weights))
        self._factors = np.empty_like(factors)
        np.put_along_axis(self._factors, paths.ends >> self.levels, factors, axis=1)
        self._needed, self._place = np.unique(kept % size, return_inverse=True)

    @staticmethod
    def pays(S, X):
        """Whether it beats the product at once: n would be padded, and X is large."""
        return S.shape[1] < S.plan.n and X.size > LARGE and ButterflyRows.takes(S)

    @staticmethod
    def takes(S):
        """Whether it can do it: for the inputs in order, and strides increasing."""
        plain = isinstance(S.plan, Plan) and S.plan.increasing
        return plain and (
            S.inputs is None or np.array_equal(S.inputs, np.arange(S.shape[1]))
        )

    def add(self, part, block, y):
        """y += S[:, part] @ block."""
        at = part.start >> self.levels
        if self.levels:
            half = 1 << self.levels - 1
            weights = self.S.weights[: self.levels, at * half : (at + 1) * half]
            filled = np.arange(len(block))
            local = Butterfly(weights, inputs=filled, outputs=self._needed) @ block
        else:
            local = block
        local = np.ascontiguousarray(local, y.dtype)
        factors = frozen(self._factors[:, at].astype(y.dtype))
        flat = frozen(local).reshape(-1), frozen(self._place), factors, y.reshape(-1)
        add_rows(*flat, y.shape[1])
