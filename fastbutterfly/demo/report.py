"""The demo's words: what runs, the table, the pictures."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from .._base import machine
from .comparison import DENSE, Result

HEADER = tuple(
    zip(
        ("", "hidden layer"),
        ("weights", "layer"),
        ("weights", "network"),
        ("", "fewer"),
        ("accuracy", "%"),
        ("seconds", "/ epoch"),
        ("", "faster"),
        ("us per", "image"),
        ("", "faster"),
        strict=True,
    )
)


def title() -> str:
    """Return the first line."""
    return f"fastbutterfly {__version__} on {machine.describe()}"


def table(results: Sequence[Result]) -> str:
    """Return the table; ratios are to the dense network."""
    dense = next(result for result in results if result.name == DENSE.name)
    rows = [*HEADER, *(_row(result, dense) for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in rows]
    lines.insert(len(HEADER), "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)


def save_pictures(results: Sequence[Result], layer: Result, folder: Path) -> list[Path]:
    """Draw the training curves and the factors of a butterfly layer, and save them.

    Parameters
    ----------
    results : sequence of Result
        The first run of each is drawn.
    layer : Result
        The first layer of its first network, a `ButterflyLinear`, is drawn.
    folder : Path
        Created if missing.

    Returns
    -------
    list of Path
        The files; empty if matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return []
    from .. import plot  # optional

    figures = {
        "training.png": plot.history({r.name: r.runs[0].history for r in results}),
        "factors.png": plot.factors(layer.runs[0].net.layers[0].operator),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / name)
    return [folder / name for name in figures]


def _row(result, dense):
    spread = f" ± {result.deviation:.1f}" if len(result.runs) > 1 else ""
    return (
        result.name,
        f"{result.layer_weights:,}",
        f"{result.n_weights:,}",
        _ratio(dense.n_weights / result.n_weights),
        f"{result.accuracy:.1f}{spread}",
        f"{result.seconds:.3f}",
        _ratio(dense.seconds / result.seconds),
        f"{result.microseconds:.0f}",
        _ratio(dense.microseconds / result.microseconds),
    )


def _ratio(value):
    return f"{value:.0f}x" if value >= 10 else f"{value:.1f}x"


def _aligned(row, widths):
    name, *cells = zip(row, widths, strict=True)
    return [name[0].ljust(name[1]), *(cell.rjust(width) for cell, width in cells)]
