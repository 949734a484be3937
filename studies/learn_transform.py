"""Learn the Hadamard and the Fourier transform from data, by gradient descent.

The experiment of Dao, Gu, Eichhorn, Rudra and Re (ICML 2019): a butterfly with random
orthogonal blocks sees random vectors x and their transforms y, and Adam makes |B x - y|
small. The bit reversal of the Fourier transform's inputs is given. Training stops when
the relative error |B - T| / |T| (Frobenius) is below 1e-4. Writes the table to
studies/results/learn_transform.json and the curves to learn_transform.png beside it.
"""

import argparse
import json
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

import fastbutterfly as fb
from fastbutterfly._base import machine

RESULTS = Path(__file__).parent / "results"
TARGET = 1e-4
TRANSFORMS = {
    "Hadamard": lambda n: fb.hadamard(n, dtype=np.float32),
    "Fourier": lambda n: fb.dft(n, norm="ortho", dtype=np.complex64),
}


class Adam:
    """Kingma and Ba, 2015; weights are changed in place."""

    def __init__(self, weights):
        self.weights, self.step = weights, 0
        self.mean = np.zeros_like(weights)
        self.square = np.zeros_like(weights.real)

    def update(self, gradient, rate, slow=0.9, slower=0.99):
        """Make one step."""
        self.step += 1
        self.mean += (1 - slow) * (gradient - self.mean)
        self.square += (1 - slower) * (np.abs(gradient) ** 2 - self.square)
        size = np.sqrt(self.square / (1 - slower**self.step)) + 1e-12
        self.weights -= rate / (1 - slow**self.step) * self.mean / size


def learn(transform, *, seed, steps=3000, rate=0.03, warm=50):
    """Return the relative error after each step, and seconds."""
    n, dtype = transform.shape[0], transform.dtype
    rng = np.random.default_rng(seed)
    start = fb.Butterfly.random(n, dtype=dtype, rng=rng)
    weights, identity = start.weights.copy(), np.eye(n, dtype=dtype)
    matrix, adam, errors = transform.apply(identity), Adam(weights), []
    size, began, batch = np.linalg.norm(matrix), perf_counter(), min(n, 256)
    while not errors or (errors[-1] > TARGET and len(errors) < steps):
        x = rng.standard_normal((batch, n)).astype(dtype)
        if dtype.kind == "c":
            x += 1j * rng.standard_normal((batch, n)).astype(dtype)
        B = fb.Butterfly(weights, inputs=transform.inputs)
        _, gradient = B.vjp(x, B.apply(x) - transform.apply(x))
        t = len(errors)
        decay = 0.5 * (1 + np.cos(np.pi * t / steps))
        adam.update(gradient / batch, np.float32(rate * min(1, (t + 1) / warm) * decay))
        B = fb.Butterfly(weights, inputs=transform.inputs)
        errors.append(float(np.linalg.norm(B.apply(identity) - matrix) / size))
    return errors, perf_counter() - began


def plot(curves, path):
    """Draw the errors against steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True, layout="tight")
    for ax, name in zip(axes, TRANSFORMS, strict=True):
        for (kind, n, _), errors in curves.items():
            if kind == name:
                ax.semilogy(errors, label=f"n = {n}")
        ax.axhline(TARGET, color="grey", linewidth=0.8, linestyle=":")
        ax.set(title=name, xlabel="step")
    axes[0].set_ylabel("relative error")
    axes[1].legend()
    figure.savefig(path, dpi=120)


def main():
    """Learn, print a table, write results; status 1 if a run misses the target."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", help="default: 64 ... 1024")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--quick", action="store_true", help="n = 64, one seed")
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    sizes = options.sizes or ([64] if options.quick else [64, 128, 256, 512, 1024])
    rows, curves = [], {}
    for name, make in TRANSFORMS.items():
        for n in sizes:
            for seed in range(1 if options.quick else options.seeds):
                with threadpool_limits(1, user_api="blas"):
                    errors, seconds = learn(make(n), seed=seed)
                if seed == 0:
                    curves[name, n, seed] = errors
                row = {"transform": name, "n": n, "seed": seed, "steps": len(errors)}
                row |= {"error": float(f"{errors[-1]:.2g}"), "seconds": seconds}
                rows.append(row | {"seconds": float(f"{seconds:.3g}")})
                print(
                    f"{name:<9} n = {n:<5} seed {seed}: relative error "
                    f"{errors[-1]:.1e} after {len(errors)} steps, {seconds:.1f} s"
                )
    if not options.quick or options.out:
        folder = options.out or RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        summary = {"machine": machine.describe(), "target": TARGET, "runs": rows}
        path = folder / "learn_transform.json"
        path.write_text(json.dumps(summary, indent=1) + "\n")
        plot(curves, path.with_suffix(".png"))
        print(f"written to {path} and {path.with_suffix('.png')}")
    return 0 if all(row["error"] <= TARGET for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
