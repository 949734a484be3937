"""Where does the time of a forward pass go? Each of its sweeps alone.

The first sweep reads the samples where they are, the last writes them where they
belong, those between stay in the tile; a tile's samples are worked on again and again.
`all` is the kernel on a batch. Shares are of the multiply-add limit, and `copy` is the
share of that limit's time that merely copying the batch takes.
"""

from functools import partial

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly._base.memory import aligned, frozen
from fastbutterfly._jit.options import jit
from fastbutterfly._jit.staging import register_lanes, tile_view
from fastbutterfly._kernels.schedule import forward_schedule
from fastbutterfly._kernels.sweep import forward, sweep
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

ALL, BATCH, REPEATS = 6, 256, 20


def kernel(levels, samples, inner):
    """Compile one sweep.

    Strides are from row to row and from sample to sample; `sizes` are the stride of the
    groups, their number, the number of samples, and the weights of a group.
    """
    over = sweep(forward, levels, samples, True, inner=ALL if inner else 0)

    @jit
    def run(x, w, y, x_strides, y_strides, sizes):
        s, groups, count, size = sizes
        source = tile_view(x, 0, x_strides[0], x_strides[1])
        places = source, tile_view(y, 0, y_strides[0], y_strides[1])
        for _ in range(REPEATS):
            over(places, (w,), 0, size, s, groups, count)

    return run


KERNELS = {
    (levels, inner): kernel(levels, 1 if levels == 3 else 2, inner)
    for levels in (2, 3)
    for inner in (False, True)
}


def measure(n, dtype, seconds):
    """One row: shares of the limit."""
    B, u = fb.Butterfly.random(n, dtype=dtype, rng=0), register_lanes(dtype)
    samples = max(4, min(32, (1 << 15) // (n * np.dtype(dtype).itemsize)))
    x, y = (aligned(n * BATCH, dtype) for _ in range(2))
    tile = aligned(n * samples, dtype)
    x[...] = y[...] = tile[...] = 0
    engine = B.plan.rows(1, np.dtype(dtype))
    rows, packed = (u, n), engine.pack(B.weights.reshape(-1))
    whole = frozen(x)
    calls = {
        "limit": roofline.call(dtype),
        "all": lambda: engine._kernel(whole, packed, y, tile, n),
        "copy": lambda: np.copyto(y, x),
    }
    layers, inside, p = {}, (samples * u, u), 0
    schedule = forward_schedule(n // u, u.bit_length() - 1)
    for number, (t, k, inner) in enumerate(schedule):
        first, last = number == 0, number == len(schedule) - 1
        name = "first" if first else "last" if last else f"middle {number}"
        size = (k + inner) * (2 * u << k)
        source, target = frozen(x if first else tile), y if last else tile
        strides = rows if first else inside, rows if last else inside
        sizes = 1 << t, n // u >> t + k, samples, size
        arrays = source, packed[p:], target
        calls[name] = partial(KERNELS[k, inner > 0], *arrays, *strides, sizes)
        layers[name], p = k + inner, p + size * (n // u >> k)
    best = best_in_turn(calls, seconds)
    rate = roofline.rate(best.pop("limit"))
    whole = roofline.share(BATCH * B.n_weights, best["all"], rate)
    copy = 1 / roofline.share(BATCH * B.n_weights, best["copy"], rate)
    shares = {
        name: roofline.share(REPEATS * samples * 2 * n * count, best[name], rate)
        for name, count in layers.items()
    }
    return {"n": n, "dtype": dtype, "all": whole, **shares, "copy": copy}


if __name__ == "__main__":
    script.run(
        "sweeps",
        __doc__,
        cases=lambda quick: (
            {"n": n, "dtype": dtype}
            for dtype in ("float32", "float64")
            for n in ((256, 1024) if quick else (256, 1024, 4096, 16384))
        ),
        measure=measure,
        seconds=4,
    )
