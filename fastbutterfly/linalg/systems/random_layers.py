"""Layers of the random butterflies U and V that make pivoting unnecessary."""

import numpy as np

from ..._kernels.random_butterfly import back, columns, rows

SPREAD = 20  # entries are exp(r / SPREAD), r uniform from -1 to 1, as by Parker (1995)


def random_layer(n, level, dtype, rng):
    """Draw a layer of U and of V, on 2^level segments of n coordinates.

    Returns
    -------
    entries : list of two arrays, shape (n,)
        Of U and of V. With sqrt(1/2) in them, and again in the one without a partner of
        each segment of odd size, the layers are nearly orthogonal.
    segments : list of (start, size)
    """
    segments = [(0, n)]
    for _ in range(level):
        segments = [half for segment in segments for half in _halves(*segment)]
    sqrt_half = 0.5**0.5
    entries = [sqrt_half * np.exp(rng.uniform(-1, 1, n) / SPREAD) for _ in range(2)]
    for start, size in segments:
        if size % 2:
            for values in entries:
                values[start + (size + 1) // 2 - 1] *= sqrt_half
    return [values.astype(dtype) for values in entries], segments


def _halves(start, size):
    half = (size + 1) // 2
    return (start, half), (start + half, size // 2)


def transform(A, layers):
    """Overwrite C-ordered A with U^T A V."""
    flat, n = A.reshape(-1), len(A)
    for (u, v), segments in layers:
        for start, size in segments:
            rows(flat, start, size, u, n)
            columns(flat, start, size, v, n)


def apply_left_transposed(y, layers):
    """Overwrite C-ordered y (n, p) with U^T y."""
    for (u, _), segments in layers:
        for start, size in segments:
            rows(y.reshape(-1), start, size, u.astype(y.dtype), y.shape[1])


def apply_right(y, layers):
    """Overwrite C-ordered y (n, p) with V y."""
    for (_, v), segments in reversed(layers):
        for start, size in segments:
            back(y.reshape(-1), start, size, v.astype(y.dtype), y.shape[1])
