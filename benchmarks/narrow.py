"""How fast are products with a short side, against those of BLAS?

The three products of a dense layer of k inputs and 1024 outputs, and of one of 1024
inputs and k outputs: forward, and the gradients of weights and inputs. One thread;
`*_ratio` is BLAS's time by ours, `*_ours` whether a layer uses ours.
"""

import numpy as np
import script

from fastbutterfly._plans import thin_matmul
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

N = 1024


def measure(k, batch, dtype, seconds):
    """Microseconds of our own products, and how many times as long BLAS takes."""
    rng = np.random.default_rng(0)
    small, large = (roofline.normal(rng, (batch, size), dtype) for size in (k, N))
    W = roofline.normal(rng, (k, N), dtype)
    V = W.T.copy()
    products = {
        "widening": (small, W),
        "widening_weights": (small.T, large),
        "widening_inputs": (large, W.T),
        "narrowing": (large, V),
        "narrowing_weights": (large.T, small),
        "narrowing_inputs": (small, V.T),
    }
    row, calls, pays = {"k": k, "batch": batch, "dtype": dtype}, {}, thin_matmul._pays
    chosen = {name: pays(a, b) for name, (a, b) in products.items()}
    for name, (a, b) in products.items():
        out = np.empty((a.shape[0], b.shape[1]), dtype)
        calls[name] = lambda a=a, b=b, out=out: thin_matmul.product(a, b, out)
        calls[name, "blas"] = lambda a=a, b=b, out=out: np.matmul(a, b, out=out)
    try:
        thin_matmul._pays = lambda a, b: True
        best = best_in_turn(calls, seconds)
    finally:
        thin_matmul._pays = pays
    for name in products:
        row[f"{name}_us"] = 1e6 * best[name]
        row[f"{name}_ratio"] = best[name, "blas"] / best[name]
        row[f"{name}_ours"] = chosen[name]
    return row


if __name__ == "__main__":
    script.run(
        "narrow",
        __doc__,
        cases=lambda quick: (
            {"k": k, "batch": batch, "dtype": dtype}
            for dtype in ("float32", "float64")
            for batch in ((128,) if quick else (128, 512))
            for k in ((1, 32) if quick else (1, 2, 4, 8, 10, 16, 24, 32, 64))
        ),
        measure=measure,
        seconds=2,
    )
