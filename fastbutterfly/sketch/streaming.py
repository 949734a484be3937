"""Products S @ X by blocks of rows of X: how X is cut, and what each block adds.

S @ X is the sum over blocks of rows of S[:, block] @ X[block], so X can lie in a file,
be sparse, or be spared the padding to a power of two.
"""

import numpy as np

from .._base.arguments import is_sparse
from .._base.memory import frozen
from .._kernels.gather import add_rows
from .._plans.binary import BinaryPlan
from .._plans.path_products import Paths
from ..operators import Butterfly
from .product import Product

LARGE = 1 << 24  # elements of X above which padding it costs more than the blocks do


def is_faster_by_blocks(S, X):
    """Whether blocks beat one product: X is large and would be copied for padding."""
    B = S.right if isinstance(S, Product) else S
    if not isinstance(B, Butterfly) or X.ndim != 2 or X.size <= LARGE:
        return False
    return block_product_of(S) is not None and B.shape[1] < B.plan.n


def block_product_of(S):
    """The class below that multiplies S by blocks of rows; None if there is none."""
    if isinstance(S, Product):
        is_selection = is_sparse(S.left) and block_product_of(S.right) is ButterflyRows
        return SelectionRows if is_selection else None
    if isinstance(S, Butterfly):
        return ButterflyRows if ButterflyRows.takes(S) else None
    return MatrixRows


class MatrixRows:
    """A dense or sparse S; blocks of `rows` rows of X."""

    def __init__(self, S, rows):
        self.S, n = S, S.shape[1]
        self.parts = [slice(i, min(i + rows, n)) for i in range(0, n, rows)]

    def add(self, part, block, y):
        """y += S[:, part] @ block."""
        y += self.S[:, part] @ block


class ButterflyRows:
    """A butterfly with increasing strides; blocks of 2^q rows, at most `rows`.

    1. The layers with the q smallest strides act within a block. They are applied to it
       alone, and only the local coordinates that an output depends on are kept.
    2. Through the layers above a single path leads from a block to an output. The
       product of its weights, computed once, is the output's factor for that block.
    3. Each output gains its local coordinate times its factor.
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
        self._needed, self._local_index = np.unique(kept % size, return_inverse=True)

    @staticmethod
    def takes(S):
        """Whether S has increasing strides and its inputs in order."""
        is_increasing = isinstance(S.plan, BinaryPlan) and S.plan.increasing
        return is_increasing and (
            S.inputs is None or np.array_equal(S.inputs, np.arange(S.shape[1]))
        )

    def add(self, part, block, y):
        """y += S[:, part] @ block."""
        block_index = part.start >> self.levels
        if self.levels:
            half = 1 << self.levels - 1
            pairs = slice(block_index * half, (block_index + 1) * half)
            weights = self.S.weights[: self.levels, pairs]
            filled = np.arange(len(block))
            local = Butterfly(weights, inputs=filled, outputs=self._needed) @ block
        else:
            local = block
        local = np.ascontiguousarray(local, y.dtype)
        self._combine(local, self._factors[:, block_index].astype(y.dtype), y)

    def _combine(self, local, factors, y):
        """Add to each output its local coordinate times its factor."""
        flat = frozen(local).reshape(-1), frozen(self._local_index), frozen(factors)
        add_rows(*flat, y.reshape(-1), y.shape[1])


class SelectionRows(ButterflyRows):
    """A sparse matrix times such a butterfly; the same blocks."""

    def __init__(self, S, rows):
        super().__init__(S.right, rows)
        self._selection = S.left.tocsr()

    def _combine(self, local, factors, y):
        from scipy.sparse import csr_array  # slow to import

        C, shape = self._selection, (len(y), len(local))
        values, columns = C.data * factors[C.indices], self._local_index[C.indices]
        y += csr_array((values, columns, C.indptr), shape=shape) @ local
