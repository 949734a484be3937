"""What does truncation save? Ten outputs of n = 1024 against all, and dense.

truncated(10, 1024) has fewer weights that matter; its transpose maps 10 to 1024.
"""

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

SIZE, KEPT, BATCH = 1024, 10, 256


def measure(dtype, seconds):
    """One row for each operator: weights and microseconds."""
    J = fb.truncated(KEPT, SIZE, dtype=dtype, rng=0)
    operators = {
        "truncated": J,
        "transpose": J.T,
        "full": fb.Butterfly.random(SIZE, dtype=dtype, rng=0),
    }
    calls = {}
    for name, B in operators.items():
        calls |= _calls(name, B, dtype)
    best = best_in_turn(calls, seconds)
    return [
        {
            "operator": name,
            "shape": list(B.shape),
            "batch": BATCH,
            "dtype": dtype,
            "n_weights": B.n_weights,
            **{
                f"{task}_us": 1e6 * best[name, task]
                for task in ("apply", "vjp", "dense", "dense_vjp")
            },
        }
        for name, B in operators.items()
    ]


def _calls(name, B, dtype):
    rng = np.random.default_rng(1)
    n_out, n_in = B.shape
    x = roofline.normal(rng, (BATCH, n_in), dtype)
    g = roofline.normal(rng, (BATCH, n_out), dtype)
    y, gx, gw = np.empty_like(g), np.empty_like(x), np.empty(B.shape, dtype)
    matrix = B.to_dense()
    transposed, conjugate = matrix.T.copy(), matrix.conj().copy()

    def dense_vjp():
        np.matmul(g, conjugate, out=gx)
        np.matmul(g.T, x.conj(), out=gw)

    return {
        (name, "apply"): lambda: B.apply(x, out=y, workers=1),
        (name, "vjp"): lambda: B.vjp(x, g, workers=1),
        (name, "dense"): lambda: np.matmul(x, transposed, out=y),
        (name, "dense_vjp"): dense_vjp,
    }


if __name__ == "__main__":
    script.run(
        "truncated",
        __doc__,
        cases=lambda quick: ({"dtype": dtype} for dtype in script.DTYPES),
        measure=measure,
        seconds=6,
    )
