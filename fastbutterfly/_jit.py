"""Numba's options, written once: every kernel is decorated with `jit`."""

import hashlib
from pathlib import Path

import numba
import numba.extending

# Contraction, reassociation and signed zeros are relaxed; NaN and Inf keep their
# meaning.
FASTMATH = {"contract", "nsz", "reassoc"}
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH}


def _digest():
    folder = Path(__file__).parent
    files = [folder / f"{name}.py" for name in ("_jit", "_values", "_simd")]
    files += folder.glob("_kernels/*.py")
    return hashlib.sha256(b"".join(f.read_bytes() for f in sorted(files))).hexdigest()


DIGEST = _digest()


def jit(function):
    """Compile lazily, once for each dtype, and keep the result in Numba's disk cache.

    Numba would only notice a change in the file of the kernel itself, not in those that
    it imports: the digest of all of them is the stamp of what is kept. Where no folder
    can hold the cache, kernels compile in every process.
    """
    try:
        kernel = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**OPTIONS)(function)
    files = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if files is not None:
        files._source_stamp = DIGEST
    return kernel


def helper(function):
    """Mark a function that kernels call; unlike a kernel it may be captured."""
    return numba.extending.register_jitable(function)
