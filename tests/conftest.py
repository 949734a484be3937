import os
import zlib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
# How many tests and doctests each pass of `make test` has at least, by its option -m:
# fewer are a sign that some are no longer found. Who removes tests lowers the number.
LEAST = {
    "": {"tests": 11548, "doctests": 135},
    "interpreted": {"tests": 2035, "doctests": 0},
    "generic": {"tests": 960, "doctests": 0},
}

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
    parser.addoption(
        "--complete",
        action="store_true",
        help="fail if fewer tests are collected than a whole pass of `make test` has",
    )


def pytest_collection_finish(session):
    options = session.config.option
    if not options.complete or session.testsfailed:  # errors that pytest shows
        return
    doctests = sum(isinstance(item, pytest.DoctestItem) for item in session.items)
    found = {"tests": len(session.items) - doctests, "doctests": doctests}
    for kind, least in LEAST[options.markexpr].items():
        if found[kind] < least:
            raise pytest.UsageError(
                f"this pass collects {found[kind]} {kind}, fewer than the {least} that "
                "tests/conftest.py says; are all found, and no module skipped?"
            )
