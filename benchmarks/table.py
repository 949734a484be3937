"""Print the README's tables from the results; --write puts them into the README.

They go between the two comments <!-- benchmarks --> and <!-- end of benchmarks -->.
"""

import argparse
import textwrap
from pathlib import Path

import script

from fastbutterfly.bench.report import cells
from fastbutterfly.bench.text import markdown, number, ratio

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"
SIZES = 64, 256, 1024, 4096
PEERS_AT = 1024
TASKS = {
    "forward": "outputs",
    "gradients": "both gradients",
    "training": "outputs, then both gradients",
}


def rows_table(result: dict) -> str:
    """float32 at several sizes, the other dtypes at n = 1024."""
    chosen = [
        row
        for row in result["rows"]
        if row["n"] == 1024 or (row["dtype"] == "float32" and row["n"] in SIZES)
    ]
    header = ("n", "apply, us", "of limit", "dense, us", "faster")
    header += ("vjp, us", "of limit", "dense, us", "faster")
    return markdown(
        header, [(f"{row['n']}, {row['dtype']}", *cells(row)) for row in chosen]
    )


def peers_table(result: dict) -> str:
    """The peers at n = 1024 in float32, the butterfly first in each task."""
    lines = [
        (
            f"{row['name']} ({row['what']})",
            TASKS[row["task"]],
            number(row["us"]),
            ratio(row["ratio"]),
        )
        for task in TASKS
        for row in result["rows"]
        if row["task"] == task
        and (row["n"], row["dtype"]) == (PEERS_AT, "float32")
        and "us" in row
    ]
    return markdown(("library", "task", "us", "times ours"), lines, left=(0, 1))


def machine(result: dict) -> str:
    """What it was measured on, in a sentence."""
    about = result["environment"]
    versions = about["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    quick = " A quick run: rough numbers." if result["quick"] else ""
    threads = "BLAS on one thread" if about["blas_threads"] == 1 else "BLAS not pinned"
    return (
        f"Measured on {about['date']} on {about['cpu']} ({about['register_bits']}-bit "
        f"registers, {about['cpus']} CPUs, load {about['load']}), one thread, "
        f"{threads} ({about['blas']}); {named}.{quick}"
    )


def crossovers(result: dict) -> str:
    """From where a butterfly beats dense, in a sentence."""
    clauses = []
    for row in result["rows"]:
        if "crossover" in row and row["dtype"] == "float32":
            n, batch = row["crossover"], row["batch"]
            where = f"from n = {n}" if n else f"nowhere up to n = {row['largest']}"
            what = "a single vector" if batch == "vector" else f"batches of {batch}"
            clauses.append(f"{where} for {what}")
    return f"In float32, a butterfly beats the dense product {', '.join(clauses)}."


def vectors(result: dict) -> str:
    """A single vector, in a sentence."""
    row = next(r for r in result["rows"] if (r["n"], r["dtype"]) == (1024, "float32"))
    return (
        f"A single vector of 1024 numbers takes {number(row['vector_us'])} us; "
        f"`scipy.fft.fft` of it takes {number(row['fft_us'])} us, the dense product "
        f"{number(row['dense_us'])} us."
    )


def first_use(result: dict) -> str:
    """What a first use costs, in a sentence."""
    empty, filled = (
        next(
            r for r in result["rows"] if (r["cache"], r["dtype"]) == (cache, "float32")
        )
        for cache in ("empty", "filled")
    )
    first = [(row["apply_ms"] + row["vjp_ms"]) / 1e3 for row in (empty, filled)]
    return (
        f"The import takes {filled['import_ms'] / 1e3:.2f} s, after Numba's own "
        f"{filled['import_numba_ms'] / 1e3:.2f} s. The first `apply` and `vjp` of a "
        f"dtype compile for {first[0]:.1f} s once on a machine, and load in "
        f"{first[1]:.1f} s in a process after that."
    )


def text(folder: Path) -> str:
    """The part of the README between the comments."""
    rows, peers, crossover, vector, first = (
        script.read(name, folder)
        for name in ("rows", "peers", "crossover", "vector", "first_use")
    )
    batch = rows["rows"][0]["batch"]
    return "\n\n".join(
        [
            wrapped(
                f"{batch} samples as rows. Limit: the rate of multiply-adds that "
                "`np.matmul` sustains at (256, 1024) x (1024, 1024) in the same dtype "
                "and run. `vjp` is forward and backward; dense: the products that give "
                "the same."
            ),
            rows_table(rows),
            wrapped(
                f"Other libraries at n = {PEERS_AT}, {batch} samples, float32, given "
                "the butterfly's matrix or factors. Each was right before it was "
                "timed; the FFT, another map, is for scale."
            ),
            peers_table(peers),
            *map(
                wrapped,
                (crossovers(crossover), vectors(vector), first_use(first)),
            ),
            wrapped(machine(peers)),
        ]
    )


def wrapped(paragraph: str) -> str:
    """Break lines as the README does."""
    return textwrap.fill(paragraph, 88, break_on_hyphens=False)


def replaced(readme: str, inside: str) -> str:
    """Put `inside` between the two comments.

    Raises
    ------
    ValueError
        If the comments are not there, once each and in order.
    """
    before, begin, remainder = readme.partition(BEGIN)
    _, end, after = remainder.partition(END)
    if not begin or not end:
        raise ValueError(f"readme must contain {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n\n{inside}\n\n{END}{after}"


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=script.RESULTS, metavar="DIR")
    parser.add_argument("--write", action="store_true", help="into the README")
    options = parser.parse_args()
    inside = text(options.results)
    if options.write:
        README.write_text(replaced(README.read_text(), inside))
        print(f"written to {README}")
    else:
        print(inside)


if __name__ == "__main__":
    main()
