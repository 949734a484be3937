"""Speed of apply and vjp on rows, and of a single vector, against dense products.

The multiply-add limit is the rate that np.matmul sustains at (256, 1024) x (1024, 1024)
in the same dtype and run. apply needs 2 n log2(n) multiply-adds a sample, vjp with its
forward pass three times as many.
"""

import argparse

import numpy as np
import scipy.fft
from threadpoolctl import threadpool_limits
from timing import best_in_turn, write

import fastbutterfly as fb
from fastbutterfly.demo.report import machine

BATCH = 256


def measure(n, dtype, seconds):
    """One row of the table: microseconds and shares of the limit."""
    rng = np.random.default_rng(0)
    B = fb.Butterfly.random(n, dtype=dtype, rng=0)
    x, g = rng.standard_normal((2, BATCH, n)).astype(dtype)
    y = np.empty_like(x)
    dense = rng.standard_normal((n, n)).astype(dtype)
    square = rng.standard_normal((1024, 1024)).astype(dtype)
    samples = rng.standard_normal((BATCH, 1024)).astype(dtype)
    best = best_in_turn(
        {
            "limit": lambda: samples @ square,
            "dense": lambda: np.matmul(x, dense, out=y),
            "apply": lambda: B.apply(x, workers=1),
            "vjp": lambda: B.vjp(x, g, workers=1),
            "vector": lambda: B @ x[0],
            "fft": lambda: scipy.fft.fft(x[0]),
        },
        seconds,
    )
    limit = best["limit"] * (2 * n * B.depth) / 1024**2
    return {
        "n": n,
        "dtype": np.dtype(dtype).name,
        **{f"{k} us": round(best[k] * 1e6, 2) for k in best if k != "limit"},
        "dense / apply": round(best["dense"] / best["apply"], 2),
        "fft / vector": round(best["fft"] / best["vector"], 2),
        "apply, share of limit": round(limit / best["apply"], 3),
        "vjp, share of limit": round(3 * limit / best["vjp"], 3),
    }


def main():
    """Measure, print, write benchmarks/results/rows.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=4, help="a size and dtype")
    options = parser.parse_args()
    rows = []
    with threadpool_limits(1):
        for dtype in (np.float32, np.float64):
            for n in (64, 256, 1024, 4096):
                rows.append(measure(n, dtype, options.seconds))
                print(*(f"{key}: {value}" for key, value in rows[-1].items()), sep="  ")
    write("rows", machine(), rows)


if __name__ == "__main__":
    main()
