"""What do the import and the first calls cost, in a fresh process?

import: of fastbutterfly when NumPy and Numba are loaded already, and of Numba alone.
Calls: cold, with an empty Numba cache, so kernels compile; and cached, in the next
process. The best of a few processes each.
"""

import json
import os
import subprocess
import sys
import tempfile

import script

CHILD = """
import json, sys, time
clock = time.perf_counter
times = {}

def timed(name, call):
    start = clock()
    result = call()
    times[name] = 1e3 * (clock() - start)
    return result

import numpy as np
timed("import_numba_ms", lambda: __import__("numba"))
fb = timed("import_ms", lambda: __import__("fastbutterfly"))
dtype = np.dtype(sys.argv[1])
B = fb.Butterfly.random(1024, dtype=dtype, rng=0)
x = np.ones((256, 1024), dtype)
timed("apply_ms", lambda: B.apply(x, workers=1))
timed("vjp_ms", lambda: B.vjp(x, x, workers=1))
timed("vector_ms", lambda: B @ x[0])
print(json.dumps(times))
"""
RUNS = 3


def measure(dtype, seconds):
    """One row cold, one from the cache; `seconds` has no meaning here."""
    colds, warms = [], []
    for _ in range(RUNS if seconds >= 1 else 1):
        with tempfile.TemporaryDirectory() as cache:
            colds.append(_child(dtype, cache))
            warms.append(_child(dtype, cache))
    return [
        {"dtype": dtype, "cache": name, **{k: min(r[k] for r in runs) for k in runs[0]}}
        for name, runs in (("empty", colds), ("filled", warms))
    ]


def _child(dtype, cache):
    output = subprocess.run(
        [sys.executable, "-c", CHILD, dtype],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(output)


if __name__ == "__main__":
    script.run(
        "first_use",
        __doc__,
        cases=lambda quick: (
            {"dtype": dtype} for dtype in (script.FEW if quick else script.DTYPES)
        ),
        measure=measure,
    )
