"""Models of `learn`: dense, sparse and butterfly sketches with trainable parameters.

A model has flat `parameters` and works on stacks of transposed matrices, rows (..., n).
"""

import math

import numpy as np

from .._base.arguments import as_size
from ..nn import ButterflyLinear
from ..nn.layers.butterfly_linear import draw as draw_butterfly
from .random import gaussian, sparse
from .sketch import Sketch


class DenseModel:
    """All entries, initially N(0, 1/l)."""

    def __init__(self, l, n, rng):
        self.shape = l, n
        self.parameters = gaussian(l, n, rng=rng).to_dense().reshape(-1)

    def forward(self, rows):
        """S x for each row x."""
        return rows @ self.parameters.reshape(self.shape).T

    def gradient(self, rows, g):
        """Gradient for the parameters, given that for the results of `forward`."""
        return _flat(g).T @ _flat(rows)

    def sketch(self):
        """A sketch with the current parameters."""
        return Sketch(self.parameters.reshape(self.shape).copy())


class SparseModel(DenseModel):
    """`nonzeros` entries a column, initially +-1/sqrt(nonzeros), in fixed rows."""

    def __init__(self, l, n, rng, nonzeros=1):
        self.shape = l, n
        self._initial = sparse(l, n, nonzeros=nonzeros, rng=rng).operator
        self.parameters = self._initial.data.copy()

    def forward(self, rows):
        """S x for each row x."""
        return rows @ self._matrix().toarray().T

    def gradient(self, rows, g):
        """Gradient for the parameters, given that for the results of `forward`."""
        columns = np.repeat(np.arange(self.shape[1]), np.diff(self._initial.indptr))
        return super().gradient(rows, g)[self._initial.indices, columns]

    def sketch(self):
        """A sketch with the current parameters."""
        return Sketch(self._matrix())

    def _matrix(self):
        matrix = self._initial.copy()
        matrix.data = self.parameters.copy()
        return matrix


class ButterflyModel:
    """The weights of a truncated butterfly, initially an FJLT."""

    def __init__(self, l, n, rng):
        operator = draw_butterfly(n, l, "fjlt", rng)
        self._layer = ButterflyLinear.from_operator(operator, dtype=np.float64)
        self.parameters = self._layer.parameters

    def forward(self, rows):
        """S x for each row x."""
        y, _ = self._layer.forward(np.ascontiguousarray(_flat(rows)))
        return y.reshape(*rows.shape[:-1], -1)

    def gradient(self, rows, g):
        """Gradient for the parameters, given that for the results of `forward`."""
        gradient = np.empty_like(self.parameters)
        x, g = (np.ascontiguousarray(_flat(a)) for a in (rows, g))
        self._layer.backward(x, g, gradient, input_gradient=False)
        return gradient

    def sketch(self):
        """A sketch with the current parameters."""
        return Sketch(self._layer.operator)


MODELS = {"butterfly": ButterflyModel, "sparse": SparseModel, "dense": DenseModel}


def make(kind, l, n, rng, nonzeros):
    """A model with its initial parameters."""
    if kind is SparseModel:
        return SparseModel(l, n, rng, as_size("nonzeros", nonzeros))
    return kind(l, n, rng)


def _flat(rows):
    return rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1])
