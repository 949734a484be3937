"""How fast is B @ X for X in C and in Fortran order, against dense products?

X is (n, 256): the columns are the samples. As rows: B.apply of the same samples as the
rows of a C-ordered array.
"""

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

BATCH = 256


def measure(n, dtype, seconds):
    """Microseconds of each product."""
    B = fb.Butterfly.random(n, dtype=dtype, rng=0)
    C = roofline.normal(np.random.default_rng(1), (n, BATCH), dtype)
    F, rows, matrix = np.asfortranarray(C), C.T.copy(), B.to_dense()
    out = {"C": np.empty_like(C), "F": np.empty_like(F), "rows": np.empty_like(rows)}
    best = best_in_turn(
        {
            "C": lambda: B @ C,
            "F": lambda: B @ F,
            "C_out": lambda: B.apply(C, axis=0, out=out["C"], workers=1),
            "F_out": lambda: B.apply(F, axis=0, out=out["F"], workers=1),
            "rows_out": lambda: B.apply(rows, out=out["rows"], workers=1),
            "dense_C": lambda: np.matmul(matrix, C, out=out["C"]),
            "dense_F": lambda: np.matmul(matrix, F, out=out["F"]),
        },
        seconds,
    )
    times = {f"{name}_us": 1e6 * time for name, time in best.items()}
    return {"n": n, "batch": BATCH, "dtype": dtype, **times}


if __name__ == "__main__":
    script.run(
        "columns",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in script.DTYPES
            for n in ((64, 1024) if quick else (16, 64, 256, 1024, 4096))
        ),
        measure=measure,
    )
