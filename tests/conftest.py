import os
import zlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


# Compiled kernels are kept beside the tests, not beside the package. They know the
# sources they were made of, but not the CPU features that were asked for.
_caches = Path(os.environ.get("NUMBA_CACHE_DIR", ROOT / ".numba_cache"))
_cpu = os.environ.get("NUMBA_CPU_NAME", "host")
os.environ["NUMBA_CACHE_DIR"] = str(_caches / _cpu)


@pytest.fixture
def rng(request):
    """A generator seeded by the test's name; a failing test shows the seed."""
    seed = zlib.crc32(request.node.nodeid.encode())
    print(f"rng seed: {seed}")
    return np.random.default_rng(seed)


def pytest_addoption(parser):
    parser.addoption(
        "--all-kernels",
        action="store_true",
        help="compile every kernel in a process of its own, not a sample of them",
    )
