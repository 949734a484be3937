"""What the benchmarks share: options, one BLAS thread, results as JSON.

A result is {"environment": ..., "quick": ..., "rows": [...]}. Those of full runs are in
benchmarks/results; those of --quick go to benchmarks/results/quick.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from fastbutterfly._base.machine import one_blas_thread
from fastbutterfly.bench import rows as bench_rows
from fastbutterfly.bench.environment import busy, environment, load

RESULTS = Path(__file__).parent / "results"
DTYPES = "float32", "float64", "complex64", "complex128"
FEW = "float32", "complex64"  # for --quick, where all take too long


def run(
    name: str,
    doc: str,
    cases: Callable[[bool], Iterable[dict]],
    measure: Callable[..., dict | list[dict]],
    *,
    finish: Callable[[list[dict]], list[dict]] = lambda rows: rows,
    packages: Iterable[str] = (),
    seconds: float = 3.0,
) -> None:
    """Run a benchmark from the command line.

    Parameters
    ----------
    name : str
        Of the result's file.
    doc : str
        Its first line is the question, for --help.
    cases : callable
        (quick) -> the cases; those with a `dtype` that butterflies do not have are
        named and skipped.
    measure : callable
        (seconds=..., **case) -> one row of the result, or several.
    finish : callable
        (rows) -> rows, when all are measured.
    packages : iterable of str
        Whose versions belong in the result.
    seconds : float
        A case's share of time; with --quick a twentieth of it.
    """
    question = doc.partition("\n")[0]
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="a few seconds in all")
    parser.add_argument(
        "--seconds", type=float, help=f"a case's time (default: {seconds:g})"
    )
    parser.add_argument("--out", type=Path, help="folder (default: benchmarks/results)")
    options = parser.parse_args()
    quick = options.quick
    share = options.seconds or (seconds / 20 if quick else seconds)
    print(question, flush=True)
    rows = []
    with one_blas_thread() as pinned:
        if not pinned:
            print("BLAS is not pinned to one thread: pip install threadpoolctl")
        if busy():
            print(f"this machine is busy, load {load()}: times may be too long")
        for case in supported(cases(quick)):
            results = measure(seconds=share, **case)
            for row in results if isinstance(results, list) else [results]:
                rows.append(row)
                print(line(row), flush=True)
    result = {
        "environment": environment(pinned=pinned, packages=tuple(packages)),
        "quick": quick,
        "rows": [rounded(row) for row in finish(rows)],
    }
    folder = options.out or (RESULTS / "quick" if quick else RESULTS)
    write(folder / f"{name}.json", result)


def supported(cases: Iterable[dict]) -> Iterable[dict]:
    """Leave out cases of dtypes that butterflies do not have, and say so."""
    skipped = set()
    for case in cases:
        dtype = case.get("dtype")
        if dtype is None or bench_rows.supported(dtype):
            yield case
        elif dtype not in skipped:
            skipped.add(dtype)
            print(f"skipped {dtype}: this version has no butterflies of it")


def write(path: Path, result: dict) -> None:
    """Write a result, and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {path}")


def read(name: str, folder: Path = RESULTS) -> dict:
    """Read the result of a benchmark."""
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise SystemExit(f"{path} is missing: run benchmarks/{name}.py first") from None


def line(row: dict) -> str:
    """One row in words."""
    return "  ".join(f"{key}: {_rounded(value)}" for key, value in row.items())


def rounded(row: dict) -> dict:
    """Keep four significant digits of each number."""
    return {key: _rounded(value) for key, value in row.items()}


def _rounded(value):
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}")
    return value
