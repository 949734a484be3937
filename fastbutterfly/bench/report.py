"""The words of `fastbutterfly bench`: tables of what was measured."""

from collections.abc import Mapping, Sequence

from .. import __version__
from .._base import machine
from . import roofline
from .competitors import FORWARD, GRADIENTS, TRAINING
from .crossover import VECTOR
from .environment import busy, load
from .peers import Missing
from .text import number, percent, ratio, table

TASKS = {
    FORWARD: "outputs",
    GRADIENTS: "gradients of inputs and weights",
    TRAINING: "outputs, then both gradients",
}


def title(dtype: str, *, pinned: bool) -> str:
    """Return the first lines: machine, threads, dtype."""
    lines = [f"fastbutterfly {__version__} on {machine.describe()}"]
    if pinned:
        lines.append(f"{dtype}, one thread, BLAS too; best times in microseconds.")
    else:
        lines.append(f"{dtype}, one thread; best times in microseconds.")
        lines.append("BLAS was not pinned to one thread: pip install threadpoolctl")
    if busy():
        lines.append(f"This machine is busy, load {load()}: times may be too long.")
    return "\n".join(lines)


def cells(row: dict) -> tuple[str, ...]:
    """Return what a table shows of a row of `rows.compared`: of apply, then of vjp."""
    return (
        number(row["apply_us"]),
        percent(row["apply_share"]),
        number(row["dense_us"]),
        ratio(row["dense_ratio"]),
        number(row["vjp_us"]),
        percent(row["vjp_share"]),
        number(row["dense_vjp_us"]),
        ratio(row["dense_vjp_ratio"]),
    )


def rows(measured: Sequence[dict]) -> str:
    """Return the table of `rows.compared`, with the limit."""
    rate = max(row["limit_rate"] for row in measured) / 1e9
    intro = (
        f"{measured[0]['batch']} samples as rows. "
        f"Limit: {rate:.1f} billion multiply-adds a second,\n"
        f"which np.matmul does at ({roofline.BATCH}, {roofline.SIZE}) x "
        f"({roofline.SIZE}, {roofline.SIZE})."
    )
    header = ("n", "apply", "of limit", "dense", "faster")
    header += ("vjp", "of limit", "dense", "faster")
    lines = [(str(row["n"]), *cells(row)) for row in measured]
    note = (
        "vjp: forward and backward, gives the gradients of inputs and weights;\n"
        "dense: the two products that give the same."
    )
    return f"{intro}\n{table(header, lines)}\n{note}"


def vectors(measured: Sequence[dict]) -> str:
    """Return the table of `vector.measure`."""
    header = ("n", "B @ x", "dense", "scipy.fft.fft", "FFT / butterfly")
    lines = [
        (
            str(row["n"]),
            number(row["vector_us"]),
            number(row["dense_us"]),
            number(row["fft_us"]),
            ratio(row["fft_ratio"]),
        )
        for row in measured
    ]
    return f"A single vector.\n{table(header, lines)}"


def peers(
    measured: Sequence[dict], missing: Sequence[Missing], versions: Mapping[str, str]
) -> str:
    """Return the tables of `peers.measure`, and what was skipped."""
    n, batch = measured[0]["n"], measured[0]["batch"]
    intro = (
        f"Other libraries at n = {n}, {batch} samples, on the butterfly's matrix or "
        "factors.\n"
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".\nEach was right before it was timed; the FFT, another map, is for scale."
    )
    parts = [intro]
    for task, words in TASKS.items():
        lines = [
            (row["name"], number(row["us"]), ratio(row["ratio"]), row["what"])
            for row in measured
            if row["task"] == task and "us" in row
        ]
        parts.append(table((words, "us", "ratio", "what"), lines, left=(0, 3)))
    skipped = [
        f"skipped {row['name']}, {TASKS[row['task']]}: {row['skipped']}"
        for row in measured
        if "skipped" in row
    ]
    skipped += [f"skipped {package}" for package in missing]
    return "\n\n".join([*parts, *filter(None, ["\n".join(skipped)])])


def crossovers(results: Sequence[dict]) -> str:
    """Return from which size on a butterfly is faster, for each batch."""
    lines = ["A butterfly beats the dense product"]
    for row in results:
        n, batch = row["crossover"], row["batch"]
        what = "a vector, B @ x" if batch == VECTOR else f"batch {batch}, apply"
        where = f"from n = {n}" if n else f"nowhere up to n = {row['largest']}"
        lines.append(f"  {what + ':':<17} {where}")
    return "\n".join(lines)
