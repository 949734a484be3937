"""The multiply-add limit: the rate that np.matmul sustains in the same dtype and run.

A butterfly needs one multiply-add for each effective weight and sample, 2 n log2(n) for
a square butterfly; its gradients, with the forward pass, need three times as many.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

BATCH, SIZE = 256, 1024
GRADIENTS = 3


def call(dtype: DTypeLike) -> Callable[[], object]:
    """Return the product to time: (256, 1024) x (1024, 1024)."""
    rng = np.random.default_rng(0)
    x = normal(rng, (BATCH, SIZE), dtype)
    matrix = normal(rng, (SIZE, SIZE), dtype)
    y = np.empty_like(x)
    return lambda: np.matmul(x, matrix, out=y)


def rate(seconds: float) -> float:
    """Multiply-adds a second, from the time of `call`; complex ones for complex."""
    return BATCH * SIZE**2 / seconds


def share(multiply_adds: float, seconds: float, best: float) -> float:
    """Share of the rate `best` that these multiply-adds in these seconds reach."""
    return multiply_adds / best / seconds


def normal(rng: np.random.Generator, shape: tuple, dtype: DTypeLike) -> np.ndarray:
    """Draw standard normal elements, circular for complex dtypes."""
    dtype = np.dtype(dtype)
    if dtype.kind != "c":
        return rng.standard_normal(shape).astype(dtype)
    real, imaginary = rng.standard_normal((2, *shape)) / np.sqrt(2)
    return (real + 1j * imaginary).astype(dtype)
