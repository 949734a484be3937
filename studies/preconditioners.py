"""Where a butterfly preconditioner helps, and where it does not.

Iterations and time of GMRES, or CG where A is positive definite, to a relative residual
of 1e-8, without a preconditioner, with Jacobi's, an incomplete LU of scipy.sparse (of
the entries above a hundredth of the largest), and with `linalg.preconditioner`: made of
the inverse, learned from products with A and its adjoint, or made of A itself.

Integral equations of the second and first kind, Toeplitz and kernel matrices,
non-uniform Fourier matrices, and differential equations by finite differences:
diffusion, with anisotropic coefficients that jump by 1e4, with convection, and an
indefinite Helmholtz equation, row by row on a square.

Then, for n = 4096, what it all costs, for 1 and for 100 right-hand sides, also against
an LU with pivoting: of a Toeplitz and a Fourier matrix known by their products only,
which take O(n log n), and of dense matrices.

What came out (one thread of an AMD EPYC, busy with other work). Made of the inverse, a
butterfly takes 1 to 10 iterations for every one of these at n = 1024. Where A is dense,
Fourier matrices aside, its solves are 1.2 to 10 times as fast as with the incomplete
LU, and it takes 0.9 to 3 times as long to make. Where A is sparse, the incomplete LU is
better: its solves are 2 to 5 times as fast and it is made at once. Learned, the
butterfly is as good from a fifth to a third of n products for what lies on a line, from
half of n or more on a plane, and from 2 n for Fourier matrices, of which there is
nothing to be learned. Made of A itself it is cheap, good for Fourier matrices, and fair
for Toeplitz and some differential equations; for integral equations M is far from an
inverse, or does not exist.

At n = 4096 it saves most for Fourier matrices by FFT: 1131 ms become 23, made in 2.1 s,
and an LU takes 34 ms and 4.3 s. For Toeplitz matrices by FFT what the iterations save
is spent on M. For dense matrices an LU is best for many right-hand sides, and but for
the second kind for a single one.

Writes studies/results/preconditioners.json; --quick takes small ones.
"""

import argparse
import json
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse.linalg import LinearOperator, aslinearoperator, cg, gmres, spilu
from systems import (
    FourierByGridding,
    ToeplitzByFFT,
    nearly_equidistant,
    problems,
    scattered,
    second_kind,
)
from threadpoolctl import threadpool_limits

from fastbutterfly import linalg
from fastbutterfly._base import machine

RESULTS = Path(__file__).parent / "results" / "preconditioners.json"
TOL, MOST, MANY = 1e-8, 4000, 100
ROUNDS, SLOW = 3, 3.0  # of each solve, and seconds from which one has to do


class Products(LinearOperator):
    """A matrix of which products are all that is known; they are counted."""

    def __init__(self, A):
        super().__init__(A.dtype, A.shape)
        self.A, self.count = aslinearoperator(A), 0

    def _matmat(self, X):
        self.count += X.shape[1]
        return self.A @ X

    def _rmatmat(self, X):
        self.count += X.shape[1]
        return self.A.rmatmat(X)


def incomplete(A):
    """Incomplete LU: of a sparse matrix, or of a dense one's larger entries."""
    if isinstance(A, np.ndarray):
        A = np.where(np.abs(A) > 1e-2 * np.abs(A).max(), A, 0)
    return LinearOperator(A.shape, spilu(sp.csc_array(A)).solve, dtype=A.dtype)


def preconditioners(A, spd):
    """Name and maker of each, which returns M and the number of products used."""
    options = {"spd": spd, "rng": 0}

    def learned():
        products = Products(A)
        return linalg.preconditioner(products, **options), products.count

    def made(**more):
        return lambda: (linalg.preconditioner(A, **more, **options), None)

    entries = {
        "Jacobi": lambda: (aslinearoperator(sp.diags_array(1 / A.diagonal())), None),
        "incomplete LU": lambda: (incomplete(A), None),
    }
    return {
        "none": lambda: (None, None),
        **(entries if hasattr(A, "diagonal") else {}),
        "butterfly of the inverse": made(method="factorize"),
        "butterfly, learned": learned,
        "butterfly of A": made(method="factorize", of="A"),
    }


def run(A, spd, make):
    """Iterations, or None and why, and milliseconds of the solve and before it."""
    start = perf_counter()
    try:
        M, products = make()
    except (np.linalg.LinAlgError, RuntimeError) as error:
        return {"iterations": None, "why": str(error)}
    made = perf_counter() - start
    b = np.random.default_rng(1).standard_normal(A.shape[0])
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
        if failed or best > SLOW:
            break
    row = {
        "iterations": None if failed else len(counts),
        "why": "no convergence" if failed else "",
        "solve_ms": round(1e3 * best, 2),
        "make_ms": round(1e3 * made, 1),
    }
    if isinstance(M, linalg.Preconditioner):
        row["residual"] = float(f"{M.residual:.2g}")
        row["weights_over_n2"] = round(M.n_weights / A.shape[0] ** 2, 3)
    return row if products is None else row | {"products": products}


def direct(A):
    """Milliseconds of an LU, and of solves with it for one and for many columns."""
    b = np.random.default_rng(1).standard_normal((A.shape[0], MANY))
    start = perf_counter()
    A = A if isinstance(A, np.ndarray) else A @ np.eye(A.shape[0])
    factors = lu_factor(A)
    made, times = perf_counter() - start, []
    for columns in (b[:, 0], b):
        start = perf_counter()
        lu_solve(factors, columns)
        times.append(perf_counter() - start)
    return made, *times


def compare(name, A, spd):
    """Print and return a row for each way."""
    for way, make in preconditioners(A, spd).items():
        row, used = run(A, spd, make), ""
        text = row["why"]
        if row["iterations"] is not None:
            text = f"{row['iterations']:4} iterations, {row['solve_ms']:8.2f} ms"
            used = f", {row['products']} products" if "products" in row else ""
            used = f" (made in {row['make_ms']:.0f} ms{used})"
        print(f"  {way:26}{text}{used}", flush=True)
        yield {"problem": name, "way": way} | row


def costs(n, rng):
    """Rows with the time for one and for many right-hand sides."""
    column, points = (1.0 + np.arange(n)) ** -1.1, nearly_equidistant(n, 0.45, rng)
    for name, make in (
        ("Toeplitz, products by FFT", lambda: (ToeplitzByFFT(column), True)),
        ("Fourier, products by FFT", lambda: (FourierByGridding(points), False)),
        ("kernel, scattered points", lambda: scattered(n, rng)),
        ("Helmholtz kernel, second kind", lambda: second_kind(n, rng)),
    ):
        A, spd = make()
        print(f"{name}, n = {n}", flush=True)
        for row in compare(name, A, spd):
            if row["iterations"] is not None:
                for count in (1, MANY):
                    total = row["make_ms"] + count * row["solve_ms"]
                    row[f"total_{count}_ms"] = round(total)
            yield row
        made, single, many = (1e3 * seconds for seconds in direct(A))
        print(f"  {'LU':26}{single:.1f} ms (made in {made:.0f} ms)", flush=True)
        totals = {
            "total_1_ms": round(made + single),
            f"total_{MANY}_ms": round(made + many),
        }
        rounded = {"solve_ms": round(single, 2), "make_ms": round(made, 1)}
        yield {"problem": name, "way": "LU"} | rounded | totals


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    options = parser.parse_args()
    n, large = (64, 256) if options.quick else (1024, 4096)
    rows = []
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scipy.sparse.linalg, on efficiency
        for name, A, spd in problems(n, np.random.default_rng(0)):
            dense = A.toarray() if sp.issparse(A) else A
            condition = float(f"{np.linalg.cond(dense):.2g}")
            print(f"{name}, n = {len(dense)}, condition {condition:.1e}", flush=True)
            rows += [row | {"condition": condition} for row in compare(name, A, spd)]
        totals = list(costs(large, np.random.default_rng(0)))
    if not options.quick:
        result = {"machine": machine.describe(), "n": n, "rows": rows, "large": large}
        RESULTS.write_text(json.dumps(result | {"costs": totals}, indent=1) + "\n")
        print(f"written to {RESULTS}")


if __name__ == "__main__":
    main()
