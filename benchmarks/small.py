"""How fast are small butterflies, n = 2 ... 32, on 100,000 rows?

Dense products are the ones to beat here; the copy of the rows, which moves the same
memory, is the bound of both.
"""

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

BATCH = 100_000


def measure(n, dtype, seconds):
    """Microseconds of apply, vjp, the dense products and a copy."""
    B = fb.Butterfly.random(n, dtype=dtype, rng=0)
    rng = np.random.default_rng(1)
    x, g = (roofline.normal(rng, (BATCH, n), dtype) for _ in range(2))
    y, transposed = np.empty_like(x), B.to_dense().T.copy()
    best = best_in_turn(
        {
            "copy": lambda: np.copyto(y, x),
            "dense": lambda: np.matmul(x, transposed, out=y),
            "apply": lambda: B.apply(x, out=y, workers=1),
            "vjp": lambda: B.vjp(x, g, workers=1),
        },
        seconds,
    )
    return {
        "n": n,
        "batch": BATCH,
        "dtype": dtype,
        **{f"{name}_us": 1e6 * time for name, time in best.items()},
        "dense_ratio": best["dense"] / best["apply"],
    }


if __name__ == "__main__":
    script.run(
        "small",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in script.DTYPES
            for n in ((4, 32) if quick else (2, 4, 8, 16, 32))
        ),
        measure=measure,
    )
