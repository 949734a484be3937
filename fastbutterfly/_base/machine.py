"""What a measurement runs on: CPU, registers, versions, BLAS threads."""

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .._jit.options import FOLDERS
from .._jit.registers import REGISTER_BYTES


def cpu_name() -> str:
    """Return the CPU's name as its maker writes it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def register_bits() -> int:
    """Return the width of the vector registers that kernels are compiled for."""
    return 8 * REGISTER_BYTES


def cache_folder() -> str:
    """Return the folder that all compiled kernels are kept in, in words."""
    return os.path.commonpath(FOLDERS) if FOLDERS else "none"


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions, Python's first; "not installed" where missing."""
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def describe() -> str:
    """Return one line on CPU and versions."""
    listed = versions("numpy", "numba").items()
    named = ", ".join(f"{name} {version}" for name, version in listed)
    return f"{cpu_name()} ({register_bits()}-bit registers), {named}"


@contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Keep BLAS to one thread; give whether that is so.

    Without threadpoolctl nothing changes, and False is given.
    """
    if importlib.util.find_spec("threadpoolctl") is None:
        yield False
        return
    from threadpoolctl import threadpool_limits  # optional

    with threadpool_limits(1, user_api="blas"):
        yield True
