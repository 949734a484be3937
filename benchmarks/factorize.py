"""How fast, and how near, is a matrix factorised, next to lazylinop and pyfaust?

Errors are relative, in the Frobenius norm, each computed from the dense product; peers
get the bit-reversed order of the Fourier matrix, ours looks for it.
"""

import numpy as np
import scipy.linalg
import script

from fastbutterfly.approximation.factorize import factorize
from fastbutterfly.bench.timing import best_in_turn

MATRICES = {
    "hadamard": lambda n: scipy.linalg.hadamard(n) / np.sqrt(n),
    "dft": lambda n: np.fft.fft(np.eye(n)) / np.sqrt(n),
}
NOISE = 0, 0.01, 0.1, 1


def measure(matrix, n, noise, seconds):
    """One row for each library: seconds and errors."""
    A = MATRICES[matrix](n)
    rng = np.random.default_rng(0)
    A = A + noise * rng.standard_normal(A.shape) / np.sqrt(n)
    bits = n.bit_length() - 1
    reverse = np.arange(n).reshape((2,) * bits).transpose().ravel()
    ordered = A[:, reverse].copy() if matrix == "dft" else A
    results = {}

    def call(name, run):
        def once():
            results[name] = run()

        return once

    runs = {"fastbutterfly": lambda: factorize(A)} | peers(ordered)
    calls = {}
    for name, run in runs.items():
        try:
            calls[name] = call(name, run)
            calls[name]()
        except Exception as error:  # whatever a foreign library raises
            print(f"skipped {name}: {type(error).__name__}: {error}")
            del calls[name]
    best = best_in_turn(calls, seconds)
    rows = []
    for name in calls:
        row = {"matrix": matrix, "n": n, "noise": noise, "name": name}
        ours = name == "fastbutterfly"
        dense = results[name].operator.to_dense() if ours else results[name].toarray()
        target = A if ours else ordered
        row["seconds"] = best[name]
        row["error"] = np.linalg.norm(dense - target) / np.linalg.norm(target)
        if ours:
            row |= {
                "bound": results[name].bound,
                "at_least": results[name].best_at_least,
            }
        rows.append(row)
    return rows


def peers(A):
    """Calls of the libraries that can be imported, by name."""
    calls = {}
    for name, prepare in {"lazylinop": _lazylinop, "pyfaust": _pyfaust}.items():
        try:
            calls |= prepare(A)
        except Exception as error:  # whatever a foreign library raises
            print(f"skipped {name}: {type(error).__name__}: {error}")
    return calls


def _lazylinop(A):
    from lazylinop.butterfly import Chain, ksd

    chain = Chain.square_dyadic(A.shape)
    return {
        f"lazylinop ksd {order}": lambda order=order: ksd(A, chain, order=order)
        for order in ("l2r", "balanced")
    }


def _pyfaust(A):
    from pyfaust.fact import butterfly

    return {"pyfaust butterfly": lambda: butterfly(A, type="bbtree")}


if __name__ == "__main__":
    script.run(
        "factorize",
        __doc__,
        cases=lambda quick: (
            {"matrix": matrix, "n": n, "noise": noise}
            for n in ((256,) if quick else (1024, 4096))
            for matrix in MATRICES
            for noise in (NOISE if n < 4096 else (0,))
        ),
        measure=measure,
        seconds=6,
    )
