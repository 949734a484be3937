"""How fast are large butterflies, n = 16384 ... 2^20, where tiles outgrow the caches?

A dense matrix no longer fits; the FFT of the same rows is for scale, and the share of
the multiply-add limit (see rows.py) tells what memory costs.
"""

import numpy as np
import scipy.fft
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

NUMBERS = 2**22  # in a batch
LEAST = 16  # samples


def measure(n, dtype, seconds):
    """Microseconds of apply, vjp and the FFT, and shares of the limit."""
    batch = max(LEAST, NUMBERS // n)
    B = fb.Butterfly.random(n, dtype=dtype, rng=0)
    rng = np.random.default_rng(1)
    x, g = (roofline.normal(rng, (batch, n), dtype) for _ in range(2))
    y = np.empty_like(x)
    best = best_in_turn(
        {
            "limit": roofline.call(dtype),
            "apply": lambda: B.apply(x, out=y, workers=1),
            "vjp": lambda: B.vjp(x, g, workers=1),
            "fft": lambda: scipy.fft.fft(x, workers=1),
        },
        seconds,
    )
    work, rate = B.n_weights * batch, roofline.rate(best["limit"])
    return {
        "n": n,
        "batch": batch,
        "dtype": dtype,
        "apply_us": 1e6 * best["apply"],
        "vjp_us": 1e6 * best["vjp"],
        "fft_us": 1e6 * best["fft"],
        "limit_rate": rate,
        "apply_share": roofline.share(work, best["apply"], rate),
        "vjp_share": roofline.share(roofline.GRADIENTS * work, best["vjp"], rate),
    }


if __name__ == "__main__":
    script.run(
        "large",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in (script.FEW if quick else script.DTYPES)
            for n in ((2**14, 2**16) if quick else [2**k for k in range(14, 21)])
        ),
        measure=measure,
        seconds=4,
    )
