"""How fast are exact transforms? Against SciPy's; 256 rows, and one vector."""

import numpy as np
import scipy.fft
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

BATCH = 256
TRANSFORMS = {
    "dft": (lambda n: fb.dft(n, dtype=np.complex64), scipy.fft.fft),
    "dct-II": (lambda n: fb.dct(n, dtype=np.float32), scipy.fft.dct),
    "dct-IV": (
        lambda n: fb.dct(n, type=4, dtype=np.float32),
        lambda x: scipy.fft.dct(x, 4),
    ),
}


def measure(transform, n, seconds):
    """One row: microseconds."""
    make, reference = TRANSFORMS[transform]
    F = make(n)
    x = roofline.normal(np.random.default_rng(0), (BATCH, n), F.dtype)
    vector = np.ascontiguousarray(x[0])
    calls = {
        "apply": lambda: F.apply(x, workers=1),
        "scipy": lambda: reference(x),
        "vector": lambda: F @ vector,
        "scipy_vector": lambda: reference(vector),
    }
    best = best_in_turn(calls, seconds)
    times = {f"{name}_us": 1e6 * time for name, time in best.items()}
    return {"transform": transform, "n": n, "batch": BATCH, **times}


if __name__ == "__main__":
    script.run(
        "transforms",
        __doc__,
        cases=lambda quick: (
            {"transform": name, "n": n}
            for name in TRANSFORMS
            for n in ((64, 1024) if quick else (64, 256, 1024, 4096))
        ),
        measure=measure,
        seconds=3,
    )
