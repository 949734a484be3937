"""Numba's options, written once: every kernel is decorated with `jit`."""

import numba
import numba.extending

# Contraction, reassociation and signed zeros are relaxed; NaN and Inf keep their
# meaning.
FASTMATH = {"contract", "nsz", "reassoc"}
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH}


def jit(function):
    """Compile lazily, once for each dtype, and keep the result in Numba's disk cache.

    Where no folder can hold that cache, kernels compile in every process.
    """
    try:
        return numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**OPTIONS)(function)


def helper(function):
    """Mark a function that kernels call; unlike a kernel it may be captured."""
    return numba.extending.register_jitable(function)
