"""The products with A that the iterations take, for A of any kind."""

import numpy as np

from ..arguments import adjoint

BLOCK_ELEMENTS = 1 << 17  # of rows of A (1 MB), read into the cache once and used twice
# For two or three columns BLAS multiplies a block faster by one column after the other.
MAX_SEPARATE_COLUMNS = 3


class AugmentedMatrix:
    """A (m, n), dense, sparse or an operator; with a ridge [A; sqrt(ridge) I].

    Products are with arrays (n, p) and (rows, p), in C order or not.
    """

    def __init__(self, A, sqrt_ridge=0.0):
        self.A, self.sqrt_ridge, (self.m, self.n) = A, sqrt_ridge, A.shape
        self.rows = self.m + (self.n if sqrt_ridge else 0)
        self._is_dense = isinstance(A, np.ndarray)
        step = max(BLOCK_ELEMENTS // self.n, 1) if self._is_dense else self.m
        self._blocks = [slice(i, i + step) for i in range(0, self.m, step)]

    def subtract(self, X, U, alpha=1.0):
        """Overwrite U with A X - alpha U."""
        U *= -alpha
        U[: self.m] += self.A @ X
        if self.sqrt_ridge:
            U[self.m :] += self.sqrt_ridge * X

    def apply_adjoint(self, U):
        """A^H U."""
        product = adjoint(self.A) @ U[: self.m]
        return product + self.sqrt_ridge * U[self.m :] if self.sqrt_ridge else product

    def update(self, X, U, alpha):
        """Overwrite U with A X - alpha U, and return A^H U; A is read once."""
        if not self._is_dense:
            self.subtract(X, U, alpha)
            return self.apply_adjoint(U)
        U *= -alpha
        product = np.zeros(X.shape, U.dtype)
        for rows in self._blocks:
            block, u = self.A[rows], U[: self.m][rows]
            u += _times(block, X)
            product += _times(adjoint(block), u)
        if self.sqrt_ridge:
            U[self.m :] += self.sqrt_ridge * X
            product += self.sqrt_ridge * U[self.m :]
        return product


def _times(block, X):
    if 1 < X.shape[1] <= MAX_SEPARATE_COLUMNS:
        return np.stack([block @ x for x in X.T], axis=1)
    return block @ X


class PreconditionedAdjoint:
    """N^H M^H for an `AugmentedMatrix` M and its preconditioner N, with its products.

    So a wide A = M^H is preconditioned from the left.
    """

    def __init__(self, matrix, triangle):
        self.matrix, self.triangle = matrix, triangle

    def residual(self, x, b):
        """N^H (b - M^H x)."""
        return self.triangle.apply_adjoint(b - self.matrix.apply_adjoint(x))

    def apply_adjoint(self, U):
        """M N U."""
        product = np.zeros((self.matrix.rows, U.shape[1]), U.dtype)
        self.matrix.subtract(self.triangle.apply(U), product)
        return product

    def update(self, X, U, alpha):
        """Overwrite U with N^H M^H X - alpha U, and return M N U."""
        U *= -alpha
        U += self.triangle.apply_adjoint(self.matrix.apply_adjoint(X))
        return self.apply_adjoint(U)
