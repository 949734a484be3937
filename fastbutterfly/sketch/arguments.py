"""Checks of the matrices that are to be sketched."""

import numpy as np

from .._base.arguments import as_list, as_reals, is_sparse


def as_matrix(name, X):
    """A finite real matrix, float32 or float64, dense or CSR."""
    if is_sparse(X):
        X = X.tocsr()
        values = as_reals(f"{name}.data", X.data)
    else:
        X = values = as_reals(name, X)
    _check_shape(name, X)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, but holds a NaN or an infinity")
    dtype = X.dtype if X.dtype in (np.float32, np.float64) else np.float64
    return X.astype(dtype, copy=False)


def as_mapped(name, X):
    """As `as_matrix`, but a memmap is returned as it is, its values unread."""
    if not isinstance(X, np.memmap):
        return as_matrix(name, X)
    as_reals(name, X)
    _check_shape(name, X)
    return X


def _check_shape(name, X):
    if len(X.shape) != 2 or not min(X.shape):
        raise ValueError(f"{name} must be a matrix (n, d), got shape {X.shape}")


def as_matrices(name, matrices):
    """A list of matrices with the same number of rows."""
    if getattr(matrices, "ndim", 3) == 2:
        matrices = [matrices]
    matrices = as_list(name, matrices)
    if not matrices:
        raise ValueError(f"{name} must hold at least one matrix")
    matrices = [as_matrix(f"{name}[{i}]", X) for i, X in enumerate(matrices)]
    rows = sorted({X.shape[0] for X in matrices})
    if len(rows) > 1:
        raise ValueError(f"{name} must have the same number of rows, got {rows}")
    return matrices
