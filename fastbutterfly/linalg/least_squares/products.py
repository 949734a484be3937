"""Matrix: the products with A that the solvers take, for A of any kind."""

import numpy as np

BLOCK = 1 << 17  # numbers of a block of rows, to be read once and used twice
FEW = 3  # columns of which BLAS multiplies a block with one after the other faster


class Matrix:
    """A (m, n), dense, sparse or an operator, above `ridge` times I, if that is not 0.

    Products are with arrays (n, p) and (rows, p), of C order or not.
    """

    def __init__(self, A, ridge=0.0):
        self.A, self.ridge, (self.m, self.n) = A, ridge, A.shape
        self.rows = self.m + (self.n if ridge else 0)
        self.dense = isinstance(A, np.ndarray)
        step = max(BLOCK // self.n, 1) if self.dense else self.m
        self.parts = [slice(i, i + step) for i in range(0, self.m, step)]

    def subtract(self, X, U, alpha=1.0):
        """Overwrite U with A X - alpha U."""
        U *= -alpha
        U[: self.m] += self.A @ X
        if self.ridge:
            U[self.m :] += self.ridge * X

    def adjoint(self, U):
        """A^H U."""
        upper = U[: self.m]
        found = adjoint(self.A) @ upper
        return found + self.ridge * U[self.m :] if self.ridge else found

    def both(self, X, U, alpha):
        """Overwrite U with A X - alpha U, and return A^H U; A is read once."""
        if not self.dense:
            self.subtract(X, U, alpha)
            return self.adjoint(U)
        U *= -alpha
        total = np.zeros(X.shape, U.dtype)
        for part in self.parts:
            block, u = self.A[part], U[: self.m][part]
            u += _times(block, X)
            total += _times(adjoint(block), u)
        if self.ridge:
            U[self.m :] += self.ridge * X
            total += self.ridge * U[self.m :]
        return total


def _times(block, X):
    if 1 < X.shape[1] <= FEW:
        return np.stack([block @ x for x in X.T], axis=1)
    return block @ X


class Adjoint:
    """N^H M^H for a `Matrix` M and a preconditioner N of it, as `Matrix` for `lsqr`."""

    def __init__(self, matrix, triangle):
        self.matrix, self.triangle = matrix, triangle

    def residual(self, x, b):
        """N^H (b - M^H x)."""
        return self.triangle.adjoint(b - self.matrix.adjoint(x))

    def adjoint(self, U):
        """M N U."""
        found = np.zeros((self.matrix.rows, U.shape[1]), U.dtype)
        self.matrix.subtract(self.triangle.times(U), found)
        return found

    def both(self, X, U, alpha):
        """Overwrite U with N^H M^H X - alpha U, and return M N U."""
        U *= -alpha
        U += self.triangle.adjoint(self.matrix.adjoint(X))
        return self.adjoint(U)


def adjoint(A):
    """A^H, of arrays that are real as a view."""
    if hasattr(A, "rmatmat"):
        return A.H
    return A.conj().T if A.dtype.kind == "c" else A.T
