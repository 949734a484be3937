"""Numba's options, written once: every kernel is decorated with `jit`."""

import hashlib
from pathlib import Path

import llvmlite
import numba
import numba.extending

from .kernel_files import KernelFiles


class _Ordered(set):
    """A set that prints in the same order in every process.

    Numba prints the flags into the symbols of compiled functions, which are not to
    depend on the seed of the process's hashes.
    """

    def __iter__(self):
        return iter(sorted(set.__iter__(self)))

    def copy(self):
        return _Ordered(self)

    def __repr__(self):
        return f"{{{', '.join(map(repr, self))}}}"


# Contraction, reassociation and signed zeros are relaxed; NaN and Inf keep their
# meaning.
FASTMATH = _Ordered({"contract", "nsz", "reassoc"})
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH}


def _digest():
    """Hash of what the machine code of kernels depends on, besides CPU and types."""
    package = Path(__file__).parent.parent
    versions = f"{numba.__version__} {llvmlite.__version__}"
    digest = hashlib.sha256(versions.encode())
    for folder in ("_jit", "_kernels"):
        sources = sorted((package / folder).rglob("*.py"))
        if not sources:
            raise RuntimeError(
                f"no sources in {package / folder} to tell old kernels by"
            )
        for source in sources:
            digest.update(source.read_bytes())
    return digest.hexdigest()


DIGEST = _digest()
FOLDERS = set()  # where the files of kernels are


def jit(function):
    """Compile lazily, once for each dtype, and keep the machine code on disk.

    Numba notices a change in the kernel's own source file only, not in the modules that
    it imports, so the digest of all of them is the stamp of a kernel's file. If no
    folder can hold the files, kernels compile in every process.
    """
    try:
        kernel = numba.njit(cache=True, **OPTIONS)(function)
    except RuntimeError:
        return numba.njit(**OPTIONS)(function)
    cache = getattr(kernel, "_cache", None)  # a plain function has none: interpreted
    if cache is not None:
        name = cache._cache_file._index_name.removesuffix(".nbi")
        cache._cache_file = KernelFiles(cache.cache_path, name, DIGEST)
        FOLDERS.add(cache.cache_path)
        # Numba writes a probe before it saves, and a full disk would end the call.
        cache._impl.locator.ensure_cache_path = lambda: None
    return kernel


def helper(function):
    """Mark a function that kernels call; unlike a kernel, a factory may make it.

    It is always inlined, so that no symbol of it is left beside the kernel. For symbols
    of functions that one factory made differ only in a count of those compiled before
    in the process. Cached kernels come from several processes: where counts agree, the
    loader would keep one function for two kernels, and one of them would call the other
    one's.
    """
    return numba.extending.register_jitable(forceinline=True)(function)
