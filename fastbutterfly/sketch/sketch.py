"""Sketch: a wide matrix that makes another one small; dense, sparse or a butterfly."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base.arguments import as_numbers, common_dtype, dense, is_sparse
from ..operators import Butterfly
from .product import Product
from .streaming import kind_of, pays

FAST = Butterfly, Product  # that are no matrices of numbers
BLOCK = 1 << 22  # numbers of X in memory at a time, of a file or of a sparse matrix


class Sketch:
    """A matrix S (l, n), l <= n, for products S @ X with (n, d) matrices X.

    Usually made by `gaussian`, `fjlt`, `sparse_rtt`, `count_sketch`, `sparse`,
    `optimal`, `learn` or `stack`.

    Parameters
    ----------
    operator : array, sparse array of SciPy, or Butterfly
        What it consists of, (l, n); not copied.

    Attributes
    ----------
    operator
    shape : (int, int)
    dtype : dtype
    n_weights : int
        Numbers that it has: entries, non-zeros, or weights of a butterfly that matter.

    Raises
    ------
    TypeError, ValueError
        If the operator is not two-dimensional, of one of these kinds.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> S = sketch.Sketch(np.ones((1, 4)))
    >>> S @ np.ones((4, 2))
    array([[4., 4.]])
    """

    __array_ufunc__ = None  # so that `array @ S` comes here

    def __init__(self, operator):
        if not isinstance(operator, FAST) and not is_sparse(operator):
            operator = as_numbers("operator", operator)
        if len(operator.shape) != 2:
            raise ValueError(f"operator must be a matrix, got shape {operator.shape}")
        self.operator = operator.tocsc() if is_sparse(operator) else operator
        self.shape, self.dtype = self.operator.shape, self.operator.dtype

    @property
    def n_weights(self) -> int:
        """Numbers that it has."""
        if isinstance(self.operator, FAST):
            return self.operator.n_weights
        return self.operator.nnz if is_sparse(self.operator) else self.operator.size

    @property
    def T(self) -> "Sketch":
        """The transpose, (n, l)."""
        return Sketch(self.operator.T)

    def to_dense(self) -> NDArray:
        """Return the matrix as an array (l, n)."""
        if isinstance(self.operator, FAST):
            return self.operator.to_dense()
        if is_sparse(self.operator):
            return self.operator.toarray()
        return np.array(self.operator)

    def apply(self, X: ArrayLike) -> NDArray:
        """Return S @ X, a dense array.

        Parameters
        ----------
        X : array, shape (n,) or (n, d); or a sparse matrix or array of SciPy
            Of a `numpy.memmap` and of a sparse matrix some rows at a time, some 32 MB,
            are in memory; each is read once. Large arrays are not copied as a whole
            either.

        Returns
        -------
        array, shape (l,) or (l, d)
            Of dtype ``np.result_type(S.dtype, X.dtype)``; integers count as float64.

        Raises
        ------
        ValueError, TypeError
            If X has not n rows, or does not hold numbers.
        """
        if is_sparse(X):
            X = X.toarray() if len(X.shape) == 1 else X
        else:
            X = X if isinstance(X, np.memmap) else as_numbers("X", X)
        if len(X.shape) not in (1, 2) or X.shape[0] != self.shape[1]:
            raise ValueError(
                f"X must have {self.shape[1]} rows, for a sketch of shape "
                f"{self.shape}, got shape {X.shape}"
            )
        if is_sparse(X):
            if not isinstance(self.operator, FAST):
                return dense(self.operator @ _floats(X))
            X = X.tocsr()
        elif not isinstance(X, np.memmap) and not self._pays(X):
            return dense(self.operator @ _floats(X))
        if len(X.shape) == 1:
            return self.apply(X[:, np.newaxis])[:, 0]
        return self._by_blocks(X)

    def _pays(self, X):
        return X.ndim == 2 and pays(self.operator, X)

    def _by_blocks(self, X):
        y = np.zeros((self.shape[0], X.shape[1]), common_dtype(self.dtype, X))
        kind = kind_of(self.operator)
        if kind is None:
            columns = max(BLOCK // X.shape[0], 1)
            for start in range(0, X.shape[1], columns):
                part = slice(start, start + columns)
                y[:, part] = self.operator @ _block(X, (slice(None), part))
            return y
        rows = kind(self.operator, max(BLOCK // max(X.shape[1], 1), 1))
        for part in rows.parts:
            rows.add(part, _block(X, part), y)
        return y

    def __matmul__(self, X: ArrayLike) -> NDArray:
        """S @ X for X (n,) or (n, d), see `apply`."""
        return self.apply(X)

    def __rmatmul__(self, X: ArrayLike) -> NDArray:
        """X @ S for X (l,) or (d, l)."""
        kept = is_sparse(X) or isinstance(X, np.memmap)
        return self.T.apply((X if kept else np.asarray(X)).T).T

    def __repr__(self):
        kind = type(self.operator).__name__
        return f"Sketch({self.shape[0]}, {self.shape[1]}, {kind}, {self.dtype})"


def times(X, Q):
    """X @ Q for a matrix Q in memory; of a memmap some rows at a time."""
    if not isinstance(X, np.memmap):
        return X @ Q
    rows = max(BLOCK // X.shape[1], 1)
    starts = range(0, len(X), rows)
    return np.concatenate([_block(X, slice(i, i + rows)) @ Q for i in starts])


def _block(X, part):
    """A part of X in memory."""
    return _floats(dense(X[part]) if is_sparse(X) else np.asarray(X[part]))


def _floats(X):
    """X with integers as float64."""
    return X if X.dtype.kind in "fc" else X.astype(np.float64)
