"""A tour of `fastbutterfly.linalg` for those who know SciPy: how long, how exact.

1. Least squares: time and error of `linalg.lstsq` and of LAPACK's gelsd against the
   number of rows, for condition number 1e6.
2. The same for condition numbers up to 1e14, at one size: forward and residual errors,
   and those of sketching without refinement, which is not stable.
3. Singular values of a matrix in a file, read some rows at a time.
4. A system of odd size, solved without pivoting.

Writes studies/results/least_squares.png and .json; --quick takes small ones.
"""

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

from fastbutterfly import linalg, sketch
from fastbutterfly._base import machine

RESULTS = Path(__file__).parent / "results"
CONDITIONS = [10.0**k for k in range(0, 15, 2)]


def problem(m, n, condition, residual, rng):
    """A, b and the solution, which has length 1."""
    U = np.linalg.qr(rng.standard_normal((m, n)))[0]
    V = np.linalg.qr(rng.standard_normal((n, n)))[0]
    A, x = U * np.geomspace(1, 1 / condition, n) @ V.T, rng.standard_normal(n)
    x /= np.linalg.norm(x)
    r = rng.standard_normal(m)
    r -= U @ (U.T @ r)
    return A, A @ x + r * (residual / np.linalg.norm(r)), x


def timed(call, rounds=2):
    """Result, and the best of a few times in seconds."""
    best = np.inf
    for _ in range(rounds):
        start = perf_counter()
        result = call()
        best = min(best, perf_counter() - start)
    return result, best


def sizes(shapes, rng):
    """Time and error against size."""
    rows = []
    for m, n in shapes:
        A, b, x = problem(m, n, 1e6, 1e-3, rng)
        row = {"m": m, "n": n}
        solution, row["sketch_s"] = timed(lambda A=A, b=b: linalg.lstsq(A, b, rng=0))
        exact, row["lapack_s"] = timed(lambda A=A, b=b: scipy.linalg.lstsq(A, b)[0])
        row["method"] = solution.method
        row["sketch_error"] = float(np.linalg.norm(solution.x - x))
        row["lapack_error"] = float(np.linalg.norm(exact - x))
        print(
            f"{m:7} x {n:4}: {row['sketch_s']:6.3f} s by {solution.method}, error "
            f"{row['sketch_error']:.1e}; gelsd {row['lapack_s']:6.3f} s, error "
            f"{row['lapack_error']:.1e}",
            flush=True,
        )
        rows.append(row)
    return rows


def conditions(m, n, rng):
    """Errors against the condition number."""
    rows = []
    for condition in CONDITIONS:
        A, b, x = problem(m, n, condition, 1e-3, rng)
        S = sketch.sparse(6 * n, m, rng=0)
        ways = {
            "lstsq": linalg.lstsq(A, b, method="sketch", rng=0).x,
            "gelsd": scipy.linalg.lstsq(A, b)[0],
            "sketch and solve": scipy.linalg.lstsq(S @ A, S @ b)[0],
        }
        errors = {way: float(np.linalg.norm(y - x)) for way, y in ways.items()}
        text = ", ".join(f"{way} {error:.1e}" for way, error in errors.items())
        print(f"condition {condition:.0e}: errors {text}", flush=True)
        rows.append({"condition": condition} | errors)
    return rows


def from_a_file(m, n, rng):
    """Singular values of a memory-mapped matrix."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "A.npy"
        A = rng.standard_normal((m, 20)) @ rng.standard_normal((20, n))
        np.save(path, A + 0.01 * rng.standard_normal((m, n)))
        mapped = np.load(path, mmap_mode="r")
        svd, seconds = timed(lambda: linalg.rsvd(mapped, tol=0.01, rng=0), 1)
        U, _, _ = sketch.low_rank(mapped, sketch.fjlt(40, m, rng=0), 20)
    print(
        f"{m} x {n} from a file: rank {len(svd.s)} for 1 %, error {svd.error:.3g} "
        f"of {np.linalg.norm(A):.3g}, in {seconds:.2f} s; a sketch finds {U.shape[1]} "
        "directions in two readings"
    )


def odd(n, rng):
    """A system without pivoting."""
    A = rng.standard_normal((n, n))
    np.fill_diagonal(A, 0)
    solved, seconds = timed(lambda: linalg.solve(A, A @ np.ones(n), rng=0))
    print(
        f"{n} x {n} with a zero diagonal, solved by {solved.method} in {seconds:.3f} "
        f"s: error {np.abs(solved.x - 1).max():.1e}, "
        f"backward {solved.backward_error:.1e}, "
        f"{solved.refinements} refinements"
    )


def plot(result, path):
    """Time against size, error against condition."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for way, style in (("sketch", "C0o-"), ("lapack", "k.--")):
        rows = result["sizes"]
        label = "linalg.lstsq" if way == "sketch" else "gelsd"
        times = [row[f"{way}_s"] for row in rows]
        left.loglog([row["m"] for row in rows], times, style, label=label)
    columns = sorted({row["n"] for row in result["sizes"]})
    left.set(xlabel="rows", ylabel="seconds", title=f"{columns[0]} columns")
    for way, style in (
        ("sketch and solve", "C3^:"),
        ("lstsq", "C0o-"),
        ("gelsd", "k.--"),
    ):
        rows = result["conditions"]
        errors = [row[way] for row in rows]
        right.loglog([row["condition"] for row in rows], errors, style, label=way)
    right.set(xlabel="condition number", ylabel="|x - solution|")
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main():
    """Run the tour."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    options = parser.parse_args()
    rng, quick = np.random.default_rng(0), options.quick
    counts = (500, 1000) if quick else (2000, 5000, 10000, 20000, 50000, 100000)
    n = 20 if quick else 500
    with threadpool_limits(1, user_api="blas"):
        result = {"machine": machine.describe()}
        result["sizes"] = sizes([(m, n) for m in counts], rng)
        result["conditions"] = conditions(*((400, 20) if quick else (4000, 100)), rng)
        from_a_file(*((600, 100) if quick else (20000, 1000)), rng)
        odd(101 if quick else 2047, rng)
    if not quick:
        (RESULTS / "least_squares.json").write_text(json.dumps(result, indent=1) + "\n")
        plot(result, RESULTS / "least_squares.png")
        print(f"written to {RESULTS}/least_squares.json and least_squares.png")


if __name__ == "__main__":
    main()
