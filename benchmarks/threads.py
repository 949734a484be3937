"""What do two workers gain, for a butterfly and for a dense product?

At n = 4096; the dense product runs on as many BLAS threads (it needs threadpoolctl).
"""

from contextlib import nullcontext

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

SIZE = 4096

try:
    from threadpoolctl import threadpool_limits
except ModuleNotFoundError:

    def threadpool_limits(workers):
        """Leave BLAS as it is."""
        return nullcontext()


def measure(batch, workers, dtype, seconds):
    """Microseconds with so many workers."""
    B = fb.Butterfly.random(SIZE, dtype=dtype, rng=0)
    rng = np.random.default_rng(1)
    x, g = (roofline.normal(rng, (batch, SIZE), dtype) for _ in range(2))
    y, transposed = np.empty_like(x), B.to_dense().T.copy()
    with threadpool_limits(workers):
        best = best_in_turn(
            {
                "apply": lambda: B.apply(x, out=y, workers=workers),
                "vjp": lambda: B.vjp(x, g, workers=workers),
                "dense": lambda: np.matmul(x, transposed, out=y),
            },
            seconds,
        )
    return {
        "n": SIZE,
        "batch": batch,
        "dtype": dtype,
        "workers": workers,
        **{f"{name}_us": 1e6 * time for name, time in best.items()},
    }


def finish(rows):
    """Add how many times faster two workers are than one."""
    single = {(r["batch"], r["dtype"]): r for r in rows if r["workers"] == 1}
    keys = "apply_us", "vjp_us", "dense_us"
    return [
        row
        | {
            key.replace("us", "speedup"): single[row["batch"], row["dtype"]][key]
            / row[key]
            for key in keys
        }
        for row in rows
    ]


if __name__ == "__main__":
    script.run(
        "threads",
        __doc__,
        cases=lambda quick: (
            {"batch": batch, "workers": workers, "dtype": dtype}
            for dtype in (script.FEW if quick else script.DTYPES)
            for batch in ((256,) if quick else (256, 4096))
            for workers in (1, 2)
        ),
        measure=measure,
        seconds=6,
        packages=["threadpoolctl"],
    )
