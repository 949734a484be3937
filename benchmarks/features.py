"""How fast and how good are ButterflyFeatures, against scikit-learn's RBFSampler?

`transform` of 256 samples with one thread, everything included; and the error of the
kernel matrix of 32 samples, the root of its mean square outside the diagonal, over
several draws, times sqrt(n_components): `near` where the kernel is exp(-0.25) on
average, `far` where it is exp(-1). `fastfood` are the errors of Fastfood (Le, Sarlós
and Smola, 2013), S H G P H B in their names, with pairs of cosine and sine.
"""

import numpy as np
import script
from sklearn.kernel_approximation import RBFSampler

import fastbutterfly as fb
from fastbutterfly.bench.timing import best_in_turn
from fastbutterfly.sklearn import ButterflyFeatures

BATCH, FEW = 256, 32
GAMMAS = {"near": 0.125, "far": 0.5}  # |x - y|^2 is about 2


class Fastfood:
    """Its features, for the errors alone."""

    def __init__(self, gamma, n_components, random_state):
        self.gamma, self.pairs = gamma, n_components // 2
        self.rng = np.random.default_rng(random_state)

    def block(self, x):
        """As many projections as x has columns, a power of two."""
        rng, n = self.rng, x.shape[1]
        signs, g = rng.choice([-1.0, 1.0], n), rng.standard_normal(n)
        z = fb.fwht(x * signs, norm="ortho")[:, rng.permutation(n)]
        z = fb.fwht(z * g, norm="ortho") * (np.sqrt(n) / np.linalg.norm(g))
        return np.sqrt(2 * self.gamma * rng.chisquare(n, n)) * z

    def fit_transform(self, x):
        """Return the features."""
        count = -(-self.pairs // x.shape[1])
        z = np.hstack([self.block(x) for _ in range(count)])[:, : self.pairs]
        return np.hstack([np.cos(z), np.sin(z)]) / np.sqrt(self.pairs)


def error(kind, gamma, x, n_components, draws):
    """Root mean square error of the kernel, times sqrt(n_components)."""
    kernel = np.exp(-gamma * ((x[:, None] - x) ** 2).sum(axis=-1))
    off, total = ~np.eye(len(x), dtype=bool), 0.0
    for seed in range(draws):
        options = {"n_components": n_components, "random_state": seed}
        z = kind(gamma=gamma, **options).fit_transform(x)
        total += np.mean((z @ z.T - kernel)[off] ** 2)
    return np.sqrt(n_components * total / draws)


def measure(n_features, n_components, dtype, seconds):
    """One row."""
    x = np.random.default_rng(0).standard_normal((BATCH, n_features))
    x /= np.sqrt(n_features)
    options = {"gamma": 0.5, "n_components": n_components, "random_state": 0}
    given = x.astype(dtype)
    ours, theirs = (
        kind(**options).fit(given) for kind in (ButterflyFeatures, RBFSampler)
    )
    calls = {
        "butterfly": lambda: ours.transform(given),
        "sampler": lambda: theirs.transform(given),
    }
    best = best_in_turn(calls, seconds)
    row = {"n_features": n_features, "n_components": n_components, "dtype": dtype}
    row |= {f"{name}_us": 1e6 * best[name] for name in calls}
    row["ratio"] = best["sampler"] / best["butterfly"]
    if dtype == "float64" and n_components == 1024:
        kinds = ButterflyFeatures, RBFSampler, Fastfood
        draws = 2 + int(10 * seconds)
        for name, gamma in GAMMAS.items():
            for kind in kinds:
                value = error(kind, gamma, x[:FEW], n_components, draws)
                row[f"{name}_{kind.__name__}"] = value
    return row


def cases(quick):
    """Sizes in both dtypes."""
    for n_features in (256,) if quick else (64, 128, 256, 512, 1024, 2048, 4096):
        for n_components in (1024,) if quick else (1024, 2048, 8192):
            for dtype in ("float32", "float64"):
                yield {
                    "n_features": n_features,
                    "n_components": n_components,
                    "dtype": dtype,
                }


if __name__ == "__main__":
    script.run(
        "features", __doc__, cases, measure, packages=("scikit-learn",), seconds=1
    )
