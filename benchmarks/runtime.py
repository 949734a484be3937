"""How fast is an exported network in onnxruntime, against a dense one and against ours?

A layer from n to n and its ReLU, as ONNX: butterfly, gadget and dense, each in
onnxruntime (`onnx_us`) and in this library (`ours_us`). One thread, float32; the output
is compared first. `file` is the size in bytes, `load_ms` what onnxruntime takes to load
it, which is when it multiplies the small blocks into large ones.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import script

from fastbutterfly import export, nn
from fastbutterfly.bench.timing import best_in_turn

LAYERS = {
    "butterfly": nn.ButterflyLinear,
    "gadget": nn.ButterflyDense,
    "dense": nn.Dense,
}
BATCHES = 1, 16, 256


def session(path):
    """Load a model, with one thread; also the milliseconds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    start = perf_counter()
    runtime = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    return runtime, 1e3 * (perf_counter() - start)


def measure(n, batch, seconds):
    """A row for each kind of layer, all timed in turn."""
    x = np.random.default_rng(0).standard_normal((batch, n), dtype=np.float32)
    rows, calls = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, kind in LAYERS.items():
            net = nn.Sequential(kind(n, n, rng=0), nn.ReLU())
            path = export.to_onnx(net, Path(folder) / f"{name}.onnx")
            run, load = session(path)
            expected = net(x)
            error = np.linalg.norm(run.run(None, {"x": x})[0] - expected)
            error /= np.linalg.norm(expected)
            if error > 1e-5:
                raise SystemExit(f"{name}, n = {n}: outputs differ by {error:.2g}")
            rows[name] = {"file": path.stat().st_size, "load_ms": load, "error": error}
            calls[name, "onnx_us"] = lambda run=run: run.run(None, {"x": x})
            calls[name, "ours_us"] = lambda net=net: net(x)
        best = best_in_turn(calls, seconds)
    results = []
    for name, row in rows.items():
        times = {where: 1e6 * best[name, where] for where in ("onnx_us", "ours_us")}
        results.append({"layer": name, "n": n, "batch": batch, **times, **row})
    return results


if __name__ == "__main__":
    script.run(
        "runtime",
        __doc__,
        cases=lambda quick: (
            {"n": n, "batch": batch}
            for n in ((64, 512) if quick else (64, 256, 1024, 4096))
            for batch in BATCHES
        ),
        measure=measure,
        packages=("onnx", "onnxruntime"),
    )
