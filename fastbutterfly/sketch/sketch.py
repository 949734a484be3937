"""Sketch: a wide matrix that compresses another: dense, sparse or a butterfly."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base.arguments import as_numbers, common_dtype, dense, is_sparse
from ..operators import Butterfly
from .product import Product
from .streaming import block_product_of, is_faster_by_blocks

STRUCTURED = Butterfly, Product  # operators that are not stored as a matrix
# Elements of X, from a file or a sparse matrix, in memory at a time: 32 MB in double
# precision fit any machine, and the overhead of a block's calls does not show.
BLOCK = 1 << 22


class Sketch:
    """A matrix S (l, n), l <= n, for products S @ X with (n, d) matrices X.

    Usually made by `gaussian`, `fjlt`, `sparse_rtt`, `count_sketch`, `sparse`,
    `optimal`, `learn` or `stack`.

    Parameters
    ----------
    operator : array, sparse array of SciPy, or Butterfly
        The matrix S, (l, n); not copied.

    Attributes
    ----------
    operator
    shape : (int, int)
    dtype : dtype
    n_weights : int
        Entries, non-zeros, or effective weights of a butterfly.

    Raises
    ------
    TypeError, ValueError
        If the operator is not two-dimensional, or not of one of these kinds.

    Notes
    -----
    A sketch multiplies as matrices do:

    - ``S @ X``: X (n,) or (n, d) -> (l,) or (l, d), a dense array. X may be dense, a
      sparse matrix or array of SciPy, or a `numpy.memmap`; of the last two some rows at
      a time, some 32 MB, are in memory, and each is read once. Large arrays are not
      copied as a whole either.
    - ``X @ S``: X (l,) or (d, l) -> (n,) or (d, n), X times the matrix.

    Results have dtype ``np.result_type(S.dtype, X.dtype)``; integers count as float64.
    An X with another number of rows is a ValueError, one without numbers a TypeError.

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
        if not isinstance(operator, STRUCTURED) and not is_sparse(operator):
            operator = as_numbers("operator", operator)
        if len(operator.shape) != 2:
            raise ValueError(f"operator must be a matrix, got shape {operator.shape}")
        self.operator = operator.tocsc() if is_sparse(operator) else operator
        self.shape, self.dtype = self.operator.shape, self.operator.dtype

    @property
    def n_weights(self) -> int:
        """Entries, non-zeros, or effective weights of a butterfly."""
        if isinstance(self.operator, STRUCTURED):
            return self.operator.n_weights
        return self.operator.nnz if is_sparse(self.operator) else self.operator.size

    @property
    def T(self) -> "Sketch":
        """The transpose, (n, l)."""
        return Sketch(self.operator.T)

    def to_dense(self) -> NDArray:
        """Return the matrix as an array (l, n)."""
        if isinstance(self.operator, STRUCTURED):
            return self.operator.to_dense()
        if is_sparse(self.operator):
            return self.operator.toarray()
        return np.array(self.operator)

    def __matmul__(self, X: ArrayLike) -> NDArray:
        """S @ X for X of shape (n,) or (n, d), dense, sparse or a memmap."""
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
            if not isinstance(self.operator, STRUCTURED):
                return dense(self.operator @ _floats(X))
            X = X.tocsr()
        elif not (isinstance(X, np.memmap) or is_faster_by_blocks(self.operator, X)):
            return dense(self.operator @ _floats(X))
        if len(X.shape) == 1:
            return (self @ X[:, np.newaxis])[:, 0]
        return self._by_blocks(X)

    def __rmatmul__(self, X: ArrayLike) -> NDArray:
        """X @ S for X of shape (l,) or (d, l)."""
        stays = is_sparse(X) or isinstance(X, np.memmap)  # not to be read as a whole
        return (self.T @ (X if stays else np.asarray(X)).T).T

    def apply(self, X: ArrayLike) -> NDArray:
        """Return S @ X; deprecated, write ``S @ X``.

        .. deprecated:: 0.1.0
            `Butterfly.apply` takes samples as rows, this takes them as columns. It goes
            in the next version.

        Parameters
        ----------
        X : array, shape (n,) or (n, d); or a sparse matrix or array of SciPy

        Returns
        -------
        array, shape (l,) or (l, d)

        Raises
        ------
        ValueError, TypeError
            As ``S @ X``.
        """
        warnings.warn(
            "Sketch.apply is deprecated and goes in the next version: use S @ X",
            DeprecationWarning,
            stacklevel=2,
        )
        return self @ X

    def _by_blocks(self, X):
        y = np.zeros((self.shape[0], X.shape[1]), common_dtype(self.dtype, X))
        block_product = block_product_of(self.operator)
        if block_product is None:
            columns = max(BLOCK // X.shape[0], 1)
            for start in range(0, X.shape[1], columns):
                part = slice(start, start + columns)
                y[:, part] = self.operator @ _block(X, (slice(None), part))
            return y
        product = block_product(self.operator, max(BLOCK // max(X.shape[1], 1), 1))
        for part in product.parts:
            product.add(part, _block(X, part), y)
        return y

    def __repr__(self):
        kind = type(self.operator).__name__
        return f"Sketch({self.shape[0]}, {self.shape[1]}, {kind}, {self.dtype})"


def times(X, Q):
    """X @ Q for a matrix Q in memory; some rows at a time if X is a memmap."""
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
