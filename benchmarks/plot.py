"""Draw the time a sample against n, with the limit, to benchmarks/results/time.png.

All lines are from one run, peers.json, in float32; of each package the form that is
fastest at the largest n.
"""

import argparse
from pathlib import Path

import script
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from fastbutterfly.plot import COLOURS, GREY

DTYPE = "float32"
PEER_COLOURS = COLOURS[3], COLOURS[4], COLOURS[5], "#6a994e", "#bc6c25", "#5c4033"
FORWARD, GRADIENTS = "forward", "gradients"
LINES = {  # label: name, task, key, style
    "NumPy, dense": ("NumPy, dense", FORWARD, "us", {"color": COLOURS[0]}),
    "vjp, forward and backward": (
        "fastbutterfly",
        GRADIENTS,
        "us",
        {"color": COLOURS[2]},
    ),
    "apply": ("fastbutterfly", FORWARD, "us", {"color": COLOURS[1]}),
    "multiply-add limit of apply": (
        "fastbutterfly",
        FORWARD,
        "limit_us",
        {"color": "black", "ls": "--", "lw": 1.5, "marker": ""},
    ),
}
THICK = {"lw": 2.2, "marker": "o", "ms": 4}


def draw(result: dict) -> Figure:
    """Draw the result of peers.py."""
    rows = [r for r in result["rows"] if r["dtype"] == DTYPE and "us" in r]
    figure = Figure(figsize=(8.2, 4.6), layout="constrained", dpi=150)
    axes = figure.subplots()
    for label, (name, task, key, style) in LINES.items():
        points = curve(rows, name, task, key)
        axes.plot(*zip(*points, strict=True), label=label, **THICK | style)
    others = best_forms(rows).items()
    for (name, points), marker, colour in zip(
        others, "sDv^<>", PEER_COLOURS, strict=False
    ):
        style = {"color": colour, "marker": marker, "lw": 1, "ms": 4}
        axes.plot(*zip(*points, strict=True), label=name, **style)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sorted({row["n"] for row in rows}))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda us, _: f"{us:g}"))
    axes.set_xlabel("n")
    axes.set_title("time a sample, \N{MICRO SIGN}s", loc="left", fontsize=11)
    axes.grid(color="#e8e8e8", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", color=GREY, labelcolor=GREY)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    machine = result["environment"]
    figure.supxlabel(
        f"{machine['cpu']}, {machine['register_bits']}-bit registers, one thread, "
        f"{DTYPE}, {rows[0]['batch']} samples",
        fontsize=8,
        color=GREY,
    )
    return figure


def curve(
    rows: list[dict], name: str, task: str = FORWARD, key: str = "us"
) -> list[tuple[int, float]]:
    """Points (n, microseconds a sample)."""
    return [
        (row["n"], row[key] / row["batch"])
        for row in rows
        if (row["name"], row["task"]) == (name, task)
    ]


def best_forms(rows: list[dict]) -> dict[str, list[tuple[int, float]]]:
    """The curve of each other package's fastest form."""
    best = {}
    for name in dict.fromkeys(row["name"] for row in rows if row["task"] == FORWARD):
        if name in ("fastbutterfly", "NumPy, dense"):
            continue
        package = name if "FFT" in name else name.partition(",")[0]
        points = curve(rows, name)
        if package not in best or points[-1][1] < best[package][1][-1][1]:
            best[package] = name, points
    return dict(best.values())


def main() -> None:
    """Read, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=script.RESULTS, metavar="DIR")
    parser.add_argument("--out", type=Path, help="default: time.png in that folder")
    options = parser.parse_args()
    figure = draw(script.read("peers", options.results))
    out = options.out or options.results / "time.png"
    figure.savefig(out)
    print(f"written to {out}")


if __name__ == "__main__":
    main()
