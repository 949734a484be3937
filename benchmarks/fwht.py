"""How fast is fwht, and a random rotation, against what NumPy and SciPy offer?

fwht against scipy.fft.rfft, which does about twice the work, NumPy's reshape with a sum
and a difference for each level, and a dense product. SciPy has no fast Walsh-Hadamard
transform. A rotation against a dense one.
"""

import numpy as np
import scipy.fft
import scipy.linalg
import script

import fastbutterfly as fb
from fastbutterfly.bench import roofline
from fastbutterfly.bench.timing import best_in_turn

DENSE_UP_TO = 2048
TRANSFORMS = [(1, 1024), (1, 4096), (1, 1 << 16), (1 << 16, 8), (1 << 14, 64)]
TRANSFORMS += [(256, 1024), (64, 4096)]
ROTATIONS = [(1, 1000), (1024, 100), (1024, 128), (1024, 768), (1024, 1000)]
ROTATIONS += [(1024, 1024), (1024, 4096)]


def with_numpy(x):
    """Levels of sums and differences of a reshaped array."""
    batch, n = x.shape
    s = 1
    while s < n:
        low, high = x.reshape(batch, n // (2 * s), 2, s).swapaxes(0, 2).swapaxes(1, 2)
        y = np.empty((batch, n // (2 * s), 2, s), x.dtype)
        np.add(low, high, out=y[:, :, 0])
        np.subtract(low, high, out=y[:, :, 1])
        x, s = y.reshape(batch, n), 2 * s
    return x


def measure(kind, batch, n, dtype, seconds):
    """One row: microseconds of each call, all but `threads_us` with one thread."""
    x = roofline.normal(np.random.default_rng(0), (batch, n), dtype)
    columns, y, vector = x.T.copy(), np.empty_like(x), batch == 1
    given = x[0] if vector else x
    if kind == "fwht":
        calls = {
            "fwht": lambda: fb.fwht(given, workers=1),
            "columns": lambda: fb.fwht(columns, axis=0, workers=1),
            "threads": lambda: fb.fwht(given),
            "sequency": lambda: fb.fwht(given, order="sequency", workers=1),
            "rfft": lambda: scipy.fft.rfft(given),
            "numpy": lambda: with_numpy(x),
        }
        matrix = scipy.linalg.hadamard(n) if n <= DENSE_UP_TO else None
    else:
        R = fb.random_rotation(n, dtype=dtype, rng=0)
        apply = R.__matmul__ if vector else lambda x: R.apply(x, workers=1)
        back = R.T.__matmul__ if vector else lambda x: R.T.apply(x, workers=1)
        calls = {
            "rotation": lambda: apply(given),
            "inverse": lambda: back(given),
            "columns": lambda: R.apply(columns, axis=0, workers=1),
            "threads": lambda: R.apply(given),
        }
        matrix = R.to_dense().T if n <= DENSE_UP_TO else None
    if matrix is not None:
        matrix = matrix.astype(dtype).copy()
        calls["dense"] = lambda: np.matmul(x, matrix, out=y)
    calls["copy"] = lambda: np.copyto(y, x)
    if vector:
        del calls["columns"]
    best = best_in_turn(calls, seconds)
    times = {f"{name}_us": 1e6 * best[name] for name in calls}
    return {"kind": kind, "batch": batch, "n": n, "dtype": dtype, **times}


def cases(quick):
    """Sizes of both kinds."""
    for dtype in ("float32", "float64"):
        for kind, sizes in (("fwht", TRANSFORMS), ("rotation", ROTATIONS)):
            for batch, n in sizes[::3] if quick else sizes:
                yield {"kind": kind, "batch": batch, "n": n, "dtype": dtype}


if __name__ == "__main__":
    script.run("fwht", __doc__, cases, measure, seconds=3)
