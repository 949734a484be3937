"""Product of two fast matrices as the operator of a sketch."""

import numpy as np


class Product:
    """left @ right for sparse matrices and butterflies, never multiplied out."""

    def __init__(self, left, right):
        self.left, self.right = left, right
        self.shape = left.shape[0], right.shape[1]
        self.dtype = np.result_type(left.dtype, right.dtype)

    @property
    def n_weights(self):
        """Non-zeros and effective weights of both."""
        factors = self.left, self.right
        return sum(M.nnz if hasattr(M, "nnz") else M.n_weights for M in factors)

    @property
    def T(self):
        """The transpose."""
        return Product(self.right.T, self.left.T)

    def __matmul__(self, X):
        return self.left @ (self.right @ X)

    def to_dense(self):
        """The matrix as an array."""
        return self @ np.eye(self.shape[1], dtype=self.dtype)
