"""Where a butterfly preconditioner helps, and where it does not.

Iterations and time of GMRES, or CG where A is positive definite, to a relative
residual of 1e-8, without a preconditioner, with Jacobi's, an incomplete LU of
scipy.sparse (of the entries above a hundredth of the largest), and
`linalg.preconditioner` (four butterflies), made of the inverse or learned from
products. Integral equations of the second and first kind, a Toeplitz matrix, a kernel
matrix of scattered points, Laplace's equation in one and two dimensions.

What came out at n = 1024: made of the inverse, butterflies take 2.6 to 6 times fewer
iterations for the integral equation of the second kind, the Toeplitz and the kernel
matrix and Laplace's equation in two dimensions, but more for the first kind, and none
converges in one dimension, where the inverse is far too ill-conditioned for an error of
some percent. Learned from products alone they help little. The incomplete LU is better
everywhere here, and made sooner; it needs the entries.

Writes examples/results/preconditioners.json; --quick takes small ones.
"""

import argparse
import json
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from scipy.linalg import toeplitz
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, gmres, spilu
from threadpoolctl import threadpool_limits

from fastbutterfly import _machine, linalg

RESULTS = Path(__file__).parent / "results" / "preconditioners.json"
TOL, MOST, ROUNDS = 1e-8, 4000, 3


def problems(n, rng):
    """Name, matrix, and whether it is positive definite."""
    x = np.sort(rng.random(n))
    apart = np.abs(x[:, np.newaxis] - x)
    yield "Helmholtz, 1D, second kind", np.eye(n) + 20 * np.exp(40j * apart) / n, False
    z = np.exp(2j * np.pi * np.arange(n) / n)
    apart = np.abs(z[:, np.newaxis] - z)
    np.fill_diagonal(apart, np.pi / n / np.e)
    yield "logarithmic kernel, first kind", -np.log(apart) / n, False
    yield "Toeplitz, 1 / (1 + k)^1.1", toeplitz((1.0 + np.arange(n)) ** -1.1), True
    points = rng.random((n, 2))
    points = points[np.lexsort(np.floor(8 * points).T)]
    apart = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    yield "kernel, scattered points", np.exp(-apart / 0.3) + 1e-3 * np.eye(n), True
    yield "Laplace, 1D", laplace(n).toarray(), True
    side = int(n**0.5)
    grid, one = laplace(side), sp.eye_array(side)
    yield "Laplace, 2D", (sp.kron(grid, one) + sp.kron(one, grid)).toarray(), True


def laplace(n):
    """Second differences."""
    return sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))


def preconditioners(A, spd):
    """Name and maker of each."""

    def incomplete():
        sparse = sp.csc_array(np.where(np.abs(A) > 1e-2 * np.abs(A).max(), A, 0))
        return LinearOperator(A.shape, spilu(sparse).solve, dtype=A.dtype)

    options = {"spd": spd, "rng": 0}
    return {
        "none": lambda: None,
        "Jacobi": lambda: aslinearoperator(sp.diags_array(1 / np.diag(A))),
        "incomplete LU": incomplete,
        "butterflies, of the inverse": lambda: linalg.preconditioner(A, **options),
        "butterflies, learned": lambda: linalg.preconditioner(
            aslinearoperator(A), max_iter=300, **options
        ),
    }


def run(A, spd, make):
    """Iterations, or None and why, and milliseconds of the solve and before it."""
    start = perf_counter()
    try:
        M = make()
    except (np.linalg.LinAlgError, RuntimeError) as error:
        return {"iterations": None, "why": str(error)}
    made = perf_counter() - start
    b = np.random.default_rng(1).standard_normal(len(A))
    best, counts, failed = np.inf, [], 0
    for _ in range(ROUNDS):
        counts, start = [], perf_counter()
        options = {"M": M, "rtol": TOL, "callback": counts.append}
        if spd:
            _, failed = cg(A, b, maxiter=MOST, **options)
        else:
            limits = {"restart": 400, "maxiter": 5, "callback_type": "pr_norm"}
            _, failed = gmres(A, b, **limits, **options)
        best = min(best, perf_counter() - start)
    return {
        "iterations": None if failed else len(counts),
        "why": "no convergence" if failed else "",
        "solve_ms": round(1e3 * best, 2),
        "make_ms": round(1e3 * made, 1),
    }


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    options = parser.parse_args()
    n, rows = 64 if options.quick else 1024, []
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scipy.sparse.linalg, on efficiency
        for name, A, spd in problems(n, np.random.default_rng(0)):
            condition = float(np.linalg.cond(A))
            print(f"{name}, n = {len(A)}, condition {condition:.1e}", flush=True)
            for way, make in preconditioners(A, spd).items():
                row = run(A, spd, make)
                count = row["iterations"]
                text = row["why"] if count is None else f"{count} iterations, "
                if count is not None:
                    text += f"{row['solve_ms']} ms (made in {row['make_ms']} ms)"
                print(f"  {way:30}{text}", flush=True)
                rows.append({"problem": name, "condition": condition, "way": way} | row)
    if not options.quick:
        result = {"machine": _machine.describe(), "n": n, "rows": rows}
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
        print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
