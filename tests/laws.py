"""Independent definitions, sizes and the one tolerance that the tests share."""

import numba
import numpy as np

INTERPRETED = bool(numba.config.DISABLE_JIT)
REAL = (np.float32, np.float64)
DTYPES = (*REAL, np.complex64, np.complex128)
STRIDES = ("increasing", "decreasing")
SIZES = tuple(1 << depth for depth in range(6 if INTERPRETED else 13))
BATCHES = (0, 1, 2, 3, 7, 17) if INTERPRETED else (0, 1, 2, 3, 7, 16, 17, 70)


def tolerance(dtype, n):
    """Relative error in norm that rounding explains: 4 * depth * eps."""
    return 4 * max(1, np.log2(n)) * np.finfo(dtype).eps


def assert_close(actual, expected, n):
    """Compare in norm; `expected` is exact, `actual` has the dtype in question."""
    assert actual.shape == expected.shape
    error = np.linalg.norm(np.asarray(actual, np.result_type(actual, float)) - expected)
    assert error <= tolerance(actual.dtype, n) * np.linalg.norm(expected)


def strides(n, order):
    """1, 2, ..., n/2 or the reverse."""
    up = [1 << level for level in range(n.bit_length() - 1)]
    return up if order == "increasing" else up[::-1]


def layer_matrix(blocks, s):
    """Dense matrix of one layer, entry by entry from the definition."""
    n = 2 * len(blocks)
    matrix = np.zeros((n, n), blocks.dtype)
    for p, block in enumerate(blocks):
        i = 2 * s * (p // s) + p % s
        matrix[np.ix_([i, i + s], [i, i + s])] = block
    return matrix


def dense(weights, order):
    """Dense matrix of a square butterfly."""
    n = 2 ** len(weights)
    matrix, weights = np.eye(n), np.asarray(weights, np.result_type(weights, float))
    for blocks, s in zip(weights, strides(n, order), strict=True):
        matrix = layer_matrix(blocks, s) @ matrix
    return matrix


def layer(blocks, s, x):
    """One layer on rows x, in double precision."""
    pairs = np.asarray(x, np.result_type(x, float)).reshape(
        len(x), len(blocks) // s, 2, s
    )
    blocks = np.asarray(blocks, np.result_type(blocks, float)).reshape(
        len(blocks) // s, s, 2, 2
    )
    return np.einsum("jsoc,bjcs->bjos", blocks, pairs).reshape(np.shape(x))


def forward(weights, order, x):
    """A square butterfly on rows x, in double precision."""
    n, x = 2 ** len(weights), np.asarray(x, np.result_type(x, float))
    for blocks, s in zip(weights, strides(n, order), strict=True):
        x = layer(blocks, s, x)
    return np.asarray(x, np.result_type(x, float))


def draw_weights(rng, n, dtype):
    """Gaussian blocks that keep the expected length."""
    depth = n.bit_length() - 1
    scale = 0.5 if np.dtype(dtype).kind == "c" else np.sqrt(0.5)
    return (scale * draw(rng, (depth, n // 2, 2, 2), dtype)).astype(dtype)


def draw(rng, shape, dtype):
    """Gaussian numbers."""
    numbers = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        numbers = numbers + 1j * rng.standard_normal(shape)
    return numbers.astype(dtype)
