"""A single vector: B @ x against the dense product and SciPy's Fourier transform."""

import numpy as np
import scipy.fft
from numpy.typing import DTypeLike

from ..operators.butterfly import Butterfly
from . import roofline
from .timing import best_in_turn

DENSE_UP_TO = 4096


def measure(n: int, dtype: DTypeLike, seconds: float) -> dict:
    """Time B @ x, the dense product and scipy.fft.fft of the same vector.

    Parameters
    ----------
    n : int
        Size; above 4096 the dense product is left out.
    dtype : dtype
        Of weights and vector.
    seconds : float
        For all calls together.

    Returns
    -------
    dict
        ``vector_us``, ``fft_us``, ``dense_us`` (None if left out) and ``fft_ratio``,
        the Fourier transform's time in units of the butterfly's.
    """
    B = Butterfly.random(n, dtype=dtype, rng=0)
    x = roofline.normal(np.random.default_rng(1), (n,), dtype)
    calls = {"vector": lambda: B @ x, "fft": lambda: scipy.fft.fft(x)}
    if n <= DENSE_UP_TO:
        matrix, y = B.to_dense(), np.empty_like(x)
        calls["dense"] = lambda: np.matmul(matrix, x, out=y)
    best = best_in_turn(calls, seconds)
    return {
        "n": n,
        "dtype": np.dtype(dtype).name,
        "vector_us": 1e6 * best["vector"],
        "fft_us": 1e6 * best["fft"],
        "dense_us": 1e6 * best["dense"] if "dense" in best else None,
        "fft_ratio": best["fft"] / best["vector"],
    }
