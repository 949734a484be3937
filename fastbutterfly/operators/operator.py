"""Base of all operators: matrix products and SciPy's protocol from `apply`, T, H."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments


class Operator:
    """Base of linear operators with `shape`, `dtype`, `apply`, `T` and `H`."""

    __array_ufunc__ = None  # so that ndarray @ B calls B.__rmatmul__
    _product_type: type["Operator"]  # of A @ B; set by `composite`, which imports this

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """B @ x for x of shape (n_in,) or (n_in, k); with an operator a `Chain`."""
        if isinstance(x, Operator):
            return self._product_type([self, x])
        return self.apply(_vector_or_matrix("x", x), axis=0)

    def __rmatmul__(self, x: ArrayLike) -> NDArray:
        """X @ B for x of shape (n_out,) or (k, n_out): x times the matrix."""
        return self.T.apply(_vector_or_matrix("x", x))

    dot = __matmul__
    matmat = __matmul__

    def matvec(self, x: ArrayLike) -> NDArray:
        """B @ x for one vector, of shape (n_in,) or (n_in, 1)."""
        return self @ x

    def rmatvec(self, x: ArrayLike) -> NDArray:
        """B.H @ x for one vector, of shape (n_out,) or (n_out, 1)."""
        return self.H @ x

    def rmatmat(self, x: ArrayLike) -> NDArray:
        """B.H @ X for X of shape (n_out, k)."""
        return self.H @ x

    def to_dense(self) -> NDArray:
        """Return the matrix, shape (n_out, n_in)."""
        identity = np.eye(self.shape[1], dtype=self.dtype)
        return np.ascontiguousarray(self.apply(identity).T)

    def as_linear_operator(self):
        """Return a scipy.sparse.linalg.LinearOperator with the same products."""
        from scipy.sparse.linalg import LinearOperator  # slow to import

        return LinearOperator(
            self.shape,
            matvec=self.matvec,
            rmatvec=self.rmatvec,
            matmat=self.matmat,
            rmatmat=self.rmatmat,
            dtype=self.dtype,
        )


def _vector_or_matrix(name, x):
    x = arguments.as_numbers(name, x)
    if x.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have one or two dimensions in a product, got shape "
            f"{x.shape}; use apply(x, axis=...) for more"
        )
    return x
