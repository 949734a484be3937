"""Tables of samples: what `train` and `predict` take from CSV and .npz files."""

import zipfile
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from .csv import listed, opened

SAMPLES = "X"  # array of the samples, where an .npz has several


@dataclass
class Table:
    """Samples (rows, columns), the columns' names or None, and the target."""

    source: str
    samples: NDArray
    names: list[str] | None
    target: NDArray | list[str]


def for_training(source, target, drop):
    """All columns but the target and those to drop."""
    if source.lower().endswith(".npz"):
        arrays = _arrays(source)
        for name in (target, *drop):
            if name not in arrays:
                raise ValueError(
                    f"{source} has no array {name!r}, it has {listed([*arrays])}"
                )
        y = arrays[target]
        if y.dtype.kind not in "biufSU":
            raise ValueError(
                f"{source} must have real numbers or text as {target!r}, got dtype "
                f"{y.dtype}"
            )
        other = {k: v for k, v in arrays.items() if k not in (target, *drop)}
        X = _samples(source, other)
        if y.shape not in (X.shape[:1], (len(X), 1)):
            raise ValueError(
                f"{source} must have one target for each of {len(X)} samples, "
                f"got {target!r} of shape {y.shape}"
            )
        return Table(source, X, None, y.reshape(-1))
    with opened(source) as table:
        goal, *dropped = map(table.index, (target, *drop))
        indices = [i for i in range(len(table.names)) if i not in (goal, *dropped)]
        if not indices:
            raise ValueError(f"{source} must have a column besides {target!r}")
        samples, texts = table.columns(indices, goal)
        names = [table.names[i] for i in indices] if table.named else None
    return Table(table.source, samples, names, texts)


def for_network(source, model):
    """The columns that a model takes, by their names (or None), in its order."""
    features, n_in = model.features, model.net.n_in
    if source.lower().endswith(".npz"):
        arrays = _arrays(source)
        X = _samples(source, {k: v for k, v in arrays.items() if k != model.target})
        if X.shape[1] != n_in:
            raise ValueError(
                f"{source} must have samples of {n_in} numbers, which the model takes, "
                f"got shape {X.shape}"
            )
        return X
    with opened(source) as table:
        if features is not None and table.named:
            missing = [name for name in features if name not in table.names]
            if missing:
                raise ValueError(
                    f"{table.source} lacks {len(missing)} of the {n_in} columns that "
                    f"the model takes: {listed(missing)}"
                )
            indices = [table.names.index(name) for name in features]
        elif len(table.names) == n_in:
            indices = range(n_in)
        else:
            raise ValueError(
                f"{table.source} must have {n_in} columns, which the model takes, got "
                f"{len(table.names)}"
            )
        return table.columns(indices)[0]


def _arrays(source):
    try:
        with open(source, "rb") as file:
            if not zipfile.is_zipfile(file):  # NumPy would try other formats
                raise zipfile.BadZipFile("it is no zip file")
        with np.load(source, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = "it holds Python objects" if "Object" in str(error) else error
        raise ValueError(
            f"{source} cannot be read as .npz of numbers and text: {reason}"
        ) from error


def _samples(source, arrays):
    """The samples among arrays, as rows of float64."""
    if len(arrays) != 1 and SAMPLES not in arrays:
        raise ValueError(
            f"{source} must have the samples as its only array besides the target, or "
            f"as {SAMPLES!r}, got {listed([*arrays]) or 'none'}"
        )
    name = SAMPLES if SAMPLES in arrays else next(iter(arrays))
    X = arrays[name]
    if X.dtype.kind not in "biuf" or X.ndim < 2 or 0 in X.shape[1:]:
        raise ValueError(
            f"{source} must have samples as rows of real numbers, got {name!r} of "
            f"shape {X.shape} and dtype {X.dtype}"
        )
    X = X.reshape(len(X), prod(X.shape[1:])).astype(np.float64)
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(
            f"{source} must have finite samples, got {X[row, column]} in row {row}"
        )
    return X
