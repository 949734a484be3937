"""How close do the rounds of a random rotation come to a uniform one?

Unit vectors are rotated: basis vectors, a constant one, and one of eight equal spikes.
A uniform rotation makes them uniform on the sphere: coordinates close to N(0, 1/n),
with excess kurtosis -6 / (n + 2) and a Kolmogorov-Smirnov distance to the normal
distribution that is only a sample's, `sample_ks`. `largest` is the mean of the largest
coordinate times sqrt(n), `halves` the ratio of the energies of both halves.
"""

import numpy as np
import scipy.stats
import script

import fastbutterfly as fb

VECTORS = "basis", "constant", "spikes"


def draw(name, n, rng):
    """A unit vector."""
    x = np.zeros(n)
    if name == "constant":
        x[:] = 1
    else:
        x[rng.choice(n, 1 if name == "basis" else 8, replace=False)] = 1
    return x / np.linalg.norm(x)


def uniform(x, rng):
    """What a uniform rotation makes of x."""
    y = rng.standard_normal(len(x))
    return y * (np.linalg.norm(x) / np.linalg.norm(y))


def measure(n, rounds, seconds):
    """One row for each kind of vector; rounds 0: a uniform rotation."""
    draws = max(20, int(400 * seconds))
    rows = []
    for name in VECTORS:
        rng, rotated = np.random.default_rng(0), []
        for _ in range(draws):
            x = draw(name, n, rng)
            if rounds:
                rotated.append(fb.random_rotation(n, rounds=rounds, rng=rng) @ x)
            else:
                rotated.append(uniform(x, rng))
        y = np.sqrt(n) * np.array(rotated)
        halves = np.mean(y[:, : n // 2] ** 2), np.mean(y[:, n - n // 2 :] ** 2)
        rows.append(
            {
                "n": n,
                "rounds": rounds or "uniform",
                "vector": name,
                "draws": draws,
                "kurtosis": scipy.stats.kurtosis(y.ravel()),
                "ks": scipy.stats.kstest(y.ravel(), "norm").statistic,
                "sample_ks": 0.87 / np.sqrt(y.size),
                "largest": np.abs(y).max(axis=1).mean(),
                "halves": max(halves) / min(halves),
            }
        )
    return rows


if __name__ == "__main__":
    script.run(
        "rotation",
        __doc__,
        cases=lambda quick: (
            {"n": n, "rounds": rounds}
            for n in ((257,) if quick else (128, 255, 257, 384, 768, 1000, 1009, 1024))
            for rounds in (1, 2, 3, 4, 0)
        ),
        measure=measure,
        seconds=1,
    )
