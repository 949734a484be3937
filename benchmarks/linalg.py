"""How fast are lstsq, rsvd and solve, against LAPACK and scikit-learn?

float64, one thread. lstsq: columns scaled to a condition number of 1e6, against gelsd
and, for the relative excess of the residual, its result; with momentum in place of LSQR
too. choice: gelsd's time by that of a sketch, for such an A, for one with a condition
number of 1e12 that no scaling changes, and for one with half of its columns repeated;
what `lstsq` chooses by itself should be LAPACK where one of them is below 0.95. rsvd:
rank 50, singular values that fall like 1/i, against scikit-learn's randomized_svd with
as many power iterations, and LAPACK's gesdd. solve: against gesv; its worth is that it
needs no pivoting. Each is the best of a few calls, but gesdd of a large matrix, which
takes minutes, is called once.
"""

from time import perf_counter

import numpy as np
import scipy.linalg
import script

from fastbutterfly import linalg
from fastbutterfly.bench.timing import best_in_turn

RANK = 50
LARGE = 1 << 22  # numbers of a matrix whose gesdd is called once
SHAPES = {
    "lstsq": [(2000, 200), (20000, 200), (20000, 500), (40000, 1000), (100000, 2000)],
    "rsvd": [(4000, 1000), (20000, 5000)],
    "solve": [(256, 256), (1024, 1024), (2048, 2048), (4096, 4096)],
}
WIDTHS, RATIOS = (30, 60, 100, 200, 400, 1000), (3, 6, 12, 25, 50, 200, 1000)
LEAST, MOST = 1 << 16, 1 << 25  # numbers of A for the choice
MANY = {(12000, 200): (2, 4), (20000, 400): (2, 4), (25000, 1000): (2, 4, 8)}
QUICK = {
    "lstsq": [(2000, 50)],
    "choice": [(2000, 50)],
    "rsvd": [(400, 100)],
    "solve": [(128, 128)],
}


def measure(what, m, n, seconds, **more):
    """One row."""
    kinds = {"lstsq": lstsq, "choice": choice, "rsvd": rsvd, "solve": solve}
    return kinds[what](m, n, seconds, **more)


def lstsq(m, n, seconds):
    """Ours by sketching and by its own choice, gelsd."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((m, n)) * np.geomspace(1, 1e-6, n)
    b = A @ rng.standard_normal(n) + rng.standard_normal(m)
    calls = {
        "sketch": lambda: linalg.lstsq(A, b, method="sketch", rng=0),
        "momentum": lambda: linalg.lstsq(
            A, b, method="sketch", iteration="momentum", rng=0
        ),
        "auto": lambda: linalg.lstsq(A, b, rng=0),
        "gelsd": lambda: scipy.linalg.lstsq(A, b),
    }
    best = best_in_turn(calls, seconds)
    solution, exact = calls["sketch"](), calls["gelsd"]()[0]
    row = {"what": "lstsq", "m": m, "n": n, "iterations": solution.iterations}
    row |= {f"{name}_ms": 1e3 * t for name, t in best.items()}
    row["ratio"] = best["gelsd"] / best["sketch"]
    row["auto_ratio"] = best["gelsd"] / best["auto"]
    row["excess"] = float(solution.residual_norm / np.linalg.norm(b - A @ exact) - 1)
    return row


def choice(m, n, seconds, columns=1):
    """Whether a sketch pays, for A of three kinds, and what is chosen."""
    rng = np.random.default_rng(0)
    row = {"what": "choice", "m": m, "n": n, "columns": columns}
    for kind in ("scaled", "mixed", "repeated"):
        A = rng.standard_normal((m, n))
        if kind == "scaled":
            A *= np.geomspace(1, 1e-6, n)
        elif kind == "mixed":
            V = np.linalg.qr(rng.standard_normal((n, n)))[0]
            A = A * np.geomspace(1, 1e-12, n) @ V
        else:
            A[:, n // 2 :] = A[:, : n - n // 2]
        b = A @ rng.standard_normal((n, columns)) + rng.standard_normal((m, columns))
        calls = {
            "sketch": lambda A=A, b=b: linalg.lstsq(A, b, method="sketch", rng=0),
            "gelsd": lambda A=A, b=b: scipy.linalg.lstsq(A, b),
        }
        best = best_in_turn(calls, seconds / 30)
        row[kind] = best["gelsd"] / best["sketch"]
    return row | {"chosen": linalg.lstsq(A, b, rng=0).method}


def rsvd(m, n, seconds):
    """Ours, scikit-learn's, and LAPACK's for the smaller."""
    rng = np.random.default_rng(0)
    k = min(4 * RANK, n)
    A = rng.standard_normal((m, k)) / np.arange(1, k + 1)
    A = A @ rng.standard_normal((k, n))
    A += 1e-3 * rng.standard_normal((m, n))
    calls = {"ours": lambda: linalg.rsvd(A, RANK, rng=0)}
    try:
        from sklearn.utils.extmath import randomized_svd
    except ImportError as error:
        print(f"skipped scikit-learn: {error}")
    else:
        calls["sklearn"] = lambda: randomized_svd(A, RANK, n_iter=2, random_state=0)
    if m * n <= LARGE:
        calls["gesdd"] = lambda: np.linalg.svd(A, full_matrices=False)
    best = best_in_turn(calls, seconds)
    if m * n > LARGE:
        start = perf_counter()
        np.linalg.svd(A, full_matrices=False)
        best["gesdd"] = perf_counter() - start
    row = {"what": "rsvd", "m": m, "n": n}
    row |= {f"{name}_ms": 1e3 * t for name, t in best.items()}
    for name in ("sklearn", "gesdd"):
        if name in best:
            row[f"{name}_ratio"] = best[name] / best["ours"]
    for name in ("ours", "sklearn"):
        if name in calls:
            U, s, Vt = calls[name]()[:3]
            row[f"{name}_error"] = float(np.linalg.norm(A - U * s @ Vt))
    return row


def solve(n, _, seconds):
    """Ours and gesv."""
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((n, n)), rng.standard_normal(n)
    calls = {
        "rbt": lambda: linalg.solve(A, b, rng=0),
        "gesv": lambda: scipy.linalg.solve(A, b, check_finite=False),
    }
    best = best_in_turn(calls, seconds)
    row = {"what": "solve", "m": n, "n": n}
    row |= {f"{name}_ms": 1e3 * t for name, t in best.items()}
    return row | {"ratio": best["gesv"] / best["rbt"]}


def cases(quick):
    """All shapes."""
    for what, shapes in (QUICK if quick else SHAPES).items():
        yield from ({"what": what, "m": m, "n": n} for m, n in shapes)
    if quick:
        return
    shapes = [(ratio * n, n) for n in WIDTHS for ratio in RATIOS]
    shapes = [(m, n) for m, n in shapes if LEAST <= m * n <= MOST]
    yield from ({"what": "choice", "m": m, "n": n} for m, n in shapes)
    for (m, n), counts in MANY.items():
        for count in counts:
            yield {"what": "choice", "m": m, "n": n, "columns": count}


if __name__ == "__main__":
    script.run(
        "linalg", __doc__, cases, measure, packages=("scikit-learn",), seconds=15
    )
