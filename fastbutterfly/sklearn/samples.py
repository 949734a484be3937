"""Samples of scikit-learn's kinds: checked, and sparse ones by dense blocks of rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

ROWS = 1024  # of sparse samples that are made dense at a time


def as_samples(estimator, x, *, reset=False):
    """Checked samples in float32 or float64, a C-ordered array or CSR matrix."""
    return validate_data(
        estimator,
        x,
        reset=reset,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        order="C",
    )


def map_rows(function, x, width):
    """function(rows) of an array, or of a sparse matrix by dense blocks of rows."""
    if not issparse(x):
        return function(x)
    y = np.empty((x.shape[0], width), x.dtype)
    for start in range(0, len(y), ROWS):
        y[start : start + ROWS] = function(x[start : start + ROWS].toarray())
    return y
