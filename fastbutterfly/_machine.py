"""What a measurement ran on: CPU, registers, versions."""

import importlib.metadata
import os
import platform
from pathlib import Path

from ._simd import REGISTER_BYTES


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
    """Return where Numba keeps compiled kernels, in words."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    return folder or str(Path(__file__).parent / "_kernels" / "__pycache__")


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions, Python's first; "not installed" where missing."""
    found = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
