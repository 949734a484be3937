"""SparseDense: a dense layer that multiplies by the inputs that are not zero only.

Its weights and its results are those of `nn.Dense`; only the way of computing differs:
the honest rival of a butterfly where inputs are sparse.
"""

import numpy as np
from scipy.sparse import csr_array

from fastbutterfly import nn


class SparseDense(nn.Dense):
    """A `nn.Dense` whose batches, dense arrays or CSR, are multiplied as CSR."""

    def forward(self, x):
        """Return x @ weights + bias."""
        x = csr_array(x)
        y = x @ self.weights
        y += self.bias
        return y, x

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Write x.T @ g and the sum of g."""
        weights = gparameters[: self.weights.size].reshape(self.weights.shape)
        weights[...] = saved.T @ g
        np.sum(g, axis=0, out=gparameters[self.weights.size :])
        return g @ self.weights.T if input_gradient else None
