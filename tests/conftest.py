import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent


def _kernel_digest():
    package = ROOT / "fastbutterfly"
    sources = [package / "_simd.py", package / "_jit.py"]
    sources += sorted((package / "_kernels").glob("*.py"))
    return hashlib.sha256(b"".join(map(Path.read_bytes, sources))).hexdigest()[:16]


# Numba's cache does not see changes in a file that a kernel imports, so each state
# of the kernels gets a folder of its own. Numba reads the variable when imported.
_caches = Path(os.environ.get("NUMBA_CACHE_DIR", ROOT / ".numba_cache"))
os.environ["NUMBA_CACHE_DIR"] = str(_caches / _kernel_digest())


@pytest.fixture
def rng(request):
    """A generator seeded by the test's name; a failing test shows the seed."""
    seed = zlib.crc32(request.node.nodeid.encode())
    print(f"rng seed: {seed}")
    return np.random.default_rng(seed)
