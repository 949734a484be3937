"""What do sizes that are no powers of two cost? Against padding, and against dense.

256 samples as rows; `mixed` has layers of the radices named, `padded` is a butterfly of
the next power of two whose last inputs and outputs are not used.
"""

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

BATCH = 256
SIZES = 768, 1000, 1152, 1536, 3584, 13696
DENSE = 4096  # largest size of the dense product


def measure(n, dtype, seconds):
    """One row: weights and microseconds."""
    rng = np.random.default_rng(1)
    mixed = fb.Butterfly.random(n, dtype=dtype, rng=0)
    padded = fb.truncated(n, n, dtype=dtype, rng=0)
    x, g = (roofline.normal(rng, (BATCH, n), dtype) for _ in range(2))
    y, vector = np.empty_like(x), np.ascontiguousarray(x[0])
    calls = {"limit": roofline.call(dtype)}
    for name, B in (("mixed", mixed), ("padded", padded)):
        calls |= _calls(name, B, x, g, y, vector)
    if n <= DENSE:
        matrix = mixed.to_dense().T.copy()
        calls["dense"] = lambda: np.matmul(x, matrix, out=y)
        calls["dense_vector"] = lambda: vector @ matrix
    best = best_in_turn(calls, seconds)
    rate = roofline.rate(best.pop("limit"))
    return {
        "n": n,
        "dtype": dtype,
        "radices": [layer[1] for layer in mixed.pattern],
        "mixed_weights": mixed.n_weights,
        "padded_weights": padded.n_weights,
        **{f"{name}_us": 1e6 * time for name, time in best.items()},
        "share": roofline.share(BATCH * mixed.n_weights, best["mixed"], rate),
    }


def _calls(name, B, x, g, y, vector):
    return {
        name: lambda: B.apply(x, out=y, workers=1),
        f"{name}_vjp": lambda: B.vjp(x, g, workers=1),
        f"{name}_vector": lambda: B @ vector,
    }


if __name__ == "__main__":
    script.run(
        "mixed",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in (script.FEW if quick else script.DTYPES)
            for n in (SIZES[:2] if quick else SIZES)
        ),
        measure=measure,
        seconds=4,
    )
