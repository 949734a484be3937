"""Products S @ X by blocks of rows of X: which blocks, and what each adds."""

import numpy as np

from .._base.arguments import is_sparse
from .._base.memory import frozen
from .._kernels.gather import add_rows
from .._plans.binary import BinaryPlan
from .._plans.path_products import Paths
from ..operators import Butterfly
from .product import Product

LARGE = 1 << 24  # numbers of X from which it is worked on by blocks


def pays(S, X):
    """Whether blocks beat the product at once: n would be padded, and X is large."""
    B = S.right if isinstance(S, Product) else S
    if not isinstance(B, Butterfly) or X.size <= LARGE or kind_of(S) is None:
        return False
    return B.shape[1] < B.plan.n


def kind_of(S):
    """Which of the classes works on blocks of rows for it; None: none does."""
    if isinstance(S, Product):
        plain = is_sparse(S.left) and kind_of(S.right) is ButterflyRows
        return SelectionRows if plain else None
    if isinstance(S, Butterfly):
        return ButterflyRows if ButterflyRows.takes(S) else None
    return MatrixRows


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
    def takes(S):
        """Whether it can do it: for the inputs in order, and strides increasing."""
        plain = isinstance(S.plan, BinaryPlan) and S.plan.increasing
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
        self._combine(local, self._factors[:, at].astype(y.dtype), y)

    def _combine(self, local, factors, y):
        """Add to each output its number of the block, times a factor."""
        flat = frozen(local).reshape(-1), frozen(self._place), frozen(factors)
        add_rows(*flat, y.reshape(-1), y.shape[1])


class SelectionRows(ButterflyRows):
    """A sparse matrix, of CSR format, times such a butterfly; the same blocks."""

    def __init__(self, S, rows):
        super().__init__(S.right, rows)
        self._selection = S.left.tocsr()

    def _combine(self, local, factors, y):
        C = self._selection
        values, places = C.data * factors[C.indices], self._place[C.indices]
        shape = len(y), len(local)
        from scipy.sparse import csr_array  # slow to import

        y += csr_array((values, places, C.indptr), shape=shape) @ local
