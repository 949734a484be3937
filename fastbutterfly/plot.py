"""Plots with matplotlib: training curves and the factors of a butterfly.

Functions return a `matplotlib.figure.Figure`, which notebooks show and `savefig` saves;
pyplot and its global state are not used.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray

from .nn import History
from .operators import Butterfly

COLOURS = ("#33415c", "#d1495b", "#edae49", "#00798c", "#8f5ea2", "#8d99ae")
GREY = "#5f6368"
CELLS = 64  # most rows and columns of a drawn matrix: more cannot be told apart


def history(histories: Mapping[str, History]) -> Figure:
    """Plot the curves of training runs, one colour a run.

    Parameters
    ----------
    histories : mapping of str to fastbutterfly.nn.History
        Results of `fit`, by the name in the legend.

    Returns
    -------
    Figure
        The training loss by epoch and, if runs have validation data, the validation
        error (of classifiers) or loss.
    """
    panels = {"training loss": {k: h.loss for k, h in histories.items()}}
    validated = {k: h for k, h in histories.items() if None not in h.validation_loss}
    labelled = {k for k, h in validated.items() if None not in h.validation_accuracy}
    if validated and labelled == set(validated):
        panels["validation error, %"] = {
            k: 100 - 100 * np.array(h.validation_accuracy) for k, h in validated.items()
        }
    elif validated:
        panels["validation loss"] = {k: h.validation_loss for k, h in validated.items()}
    figure = Figure(figsize=(4.6 * len(panels), 3.8), layout="constrained", dpi=150)
    all_axes = figure.subplots(1, len(panels), squeeze=False).ravel()
    for axes, (title, runs) in zip(all_axes, panels.items(), strict=True):
        _curves(axes, title, {name: runs.get(name, []) for name in histories})
    names = all_axes[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower center", ncols=5, frameon=False)
    return figure


def _curves(axes, title, runs):
    for i, (name, values) in enumerate(runs.items()):
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, color=COLOURS[i % len(COLOURS)], lw=1.8, label=name)
    if all(np.min(values, initial=np.inf) > 0 for values in runs.values()):
        axes.set_yscale("log")
    if title.endswith("%") and axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("epoch")
    axes.set_title(title, loc="left", fontsize=11)
    axes.margins(x=0.02)
    axes.grid(color="#e8e8e8", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", color=GREY, labelcolor=GREY)


def factors(B: Butterfly) -> Figure:
    """Draw the layers of a butterfly, and their product, as matrices.

    Parameters
    ----------
    B : Butterfly
        Above 64 rows or columns a cell shows the entry of largest magnitude in it; of
        complex entries the magnitude is shown.

    Returns
    -------
    Figure
        Layers in order of application with one scale of colours, then their product
        with a scale of its own.
    """
    pictures = [_shrink(_real(layer.toarray())) for layer in reversed(B.factors())]
    names = [f"layer {i}, stride {s}" for i, s in enumerate(_strides(B), 1)]
    limit = max(np.abs(picture).max(initial=0) for picture in pictures) or 1.0
    rows, columns = _grid(len(pictures) + 1)
    figure = Figure(figsize=(2.1 * columns, 2.35 * rows), layout="constrained", dpi=150)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, name, picture in zip(axes, names or ["identity"], pictures, strict=False):
        image = _panel(ax, name, picture, limit)
    figure.colorbar(image, ax=list(axes), shrink=0.6, aspect=30, pad=0.01)
    product = _shrink(_real(B.to_dense()))
    _panel(axes[len(pictures)], "product", product, np.abs(product).max(initial=0) or 1)
    return figure


def _strides(B):
    return [pattern[-1] for pattern in B.pattern]


def _grid(panels):
    """Rows and columns of a grid for the panels: wide, with few empty cells."""
    columns = min(panels, 6)
    rows = -(-panels // columns)
    return rows, -(-panels // rows)


def _panel(axes, title, picture, limit):
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9, color=GREY)
    axes.spines[:].set(color="#c8c8c8", linewidth=0.6)
    return axes.imshow(
        picture, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest"
    )


def _real(matrix):
    """The matrix; the magnitudes of its entries if it is complex."""
    return np.abs(matrix) if np.iscomplexobj(matrix) else matrix


def _shrink(matrix: NDArray) -> NDArray:
    """At most CELLS x CELLS cells, each the entry of largest magnitude in it."""
    for axis in (0, 1):
        size = matrix.shape[axis]
        starts = np.unique(np.arange(CELLS) * size // CELLS)
        high = np.maximum.reduceat(matrix, starts, axis=axis)
        low = np.minimum.reduceat(matrix, starts, axis=axis)
        matrix = np.where(high >= -low, high, low)
    return matrix
