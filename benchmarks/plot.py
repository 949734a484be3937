"""Draw the time a sample against n, with the limit, to benchmarks/results/time.png.

From rows.json and peers.json, in float32; of each package the form that is fastest at
the largest n.
"""

import argparse
from pathlib import Path

import script
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from fastbutterfly.plot import COLOURS, GREY

DTYPE = "float32"
PEER_COLOURS = COLOURS[3], COLOURS[4], COLOURS[5], "#6a994e", "#bc6c25", "#5c4033"
NOT_PEERS = "fastbutterfly", "NumPy, dense"  # they are drawn from rows.json


def draw(rows: dict, peers: dict) -> Figure:
    """Draw the results of rows.py and peers.py."""
    own = [row for row in rows["rows"] if row["dtype"] == DTYPE]
    lines = {
        "NumPy, dense": ("dense_us", {"color": COLOURS[0], "lw": 2.2}),
        "vjp, forward and backward": ("vjp_us", {"color": COLOURS[2], "lw": 2.2}),
        "apply": ("apply_us", {"color": COLOURS[1], "lw": 2.2}),
        "multiply-add limit of apply": ("limit_us", {"color": "black", "ls": "--"}),
    }
    figure = Figure(figsize=(8.2, 4.6), layout="constrained", dpi=150)
    axes = figure.subplots()
    for name, (key, style) in lines.items():
        marker = "" if "ls" in style else "o"
        points = [(row["n"], row[key] / row["batch"]) for row in own]
        axes.plot(*zip(*points, strict=True), marker=marker, ms=4, label=name, **style)
    others = best_forms(peers["rows"]).items()
    for (name, points), marker, colour in zip(
        others, "sDv^<>", PEER_COLOURS, strict=False
    ):
        style = {"color": colour, "marker": marker, "lw": 1, "ms": 4}
        axes.plot(*zip(*points, strict=True), label=name, **style)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([row["n"] for row in own])
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
    machine = rows["environment"]
    figure.supxlabel(
        f"{machine['cpu']}, {machine['register_bits']}-bit registers, one thread, "
        f"{DTYPE}, {own[0]['batch']} samples",
        fontsize=8,
        color=GREY,
    )
    return figure


def best_forms(rows: list[dict]) -> dict[str, list[tuple[int, float]]]:
    """Points (n, microseconds a sample) of each package's fastest form."""
    forms = {}
    for row in rows:
        timed = row["task"] == "forward" and row["dtype"] == DTYPE and "us" in row
        if timed and row["name"] not in NOT_PEERS:
            points = forms.setdefault(row["name"], [])
            points.append((row["n"], row["us"] / row["batch"]))
    best = {}
    for name, points in forms.items():
        package = name if "FFT" in name else name.partition(",")[0]
        if package not in best or points[-1][1] < forms[best[package]][-1][1]:
            best[package] = name
    return {name: forms[name] for name in best.values()}


def main() -> None:
    """Read, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=script.RESULTS, metavar="DIR")
    parser.add_argument("--out", type=Path, help="default: time.png in that folder")
    options = parser.parse_args()
    names = "rows", "peers"
    figure = draw(*(script.read(name, options.results) for name in names))
    out = options.out or options.results / "time.png"
    figure.savefig(out)
    print(f"written to {out}")


if __name__ == "__main__":
    main()
