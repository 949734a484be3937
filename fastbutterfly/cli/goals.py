"""Goals: whether a target is classes or numbers, and its values for training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_INTEGER_CLASSES = 20  # more different whole numbers are a regression by default
EXACT = 2**53  # below, different whole numbers are different in double precision


@dataclass
class Goal:
    """The task and its targets: numbers, or indices of `classes` (else None)."""

    task: str
    values: NDArray
    classes: NDArray | None = None

    def __str__(self):
        classes = "" if self.classes is None else f", {len(self.classes)} classes"
        return self.task + classes


def read(table, name, task=None):
    """The goal in a table's target of that name; its values choose the task if None."""
    source, target = table.source, np.asarray(table.target)
    try:
        values = target.astype(np.float64)
    except ValueError:
        values = None
    if values is not None and not np.isfinite(values).all():
        raise ValueError(
            f"{source} must have a finite {name!r} in each row, has "
            f"{values[~np.isfinite(values)][0]}; fill in or remove such rows"
        )
    whole = values is not None and not (values % 1).any()
    labels = whole and len(np.unique(values)) <= MAX_INTEGER_CLASSES
    default = "classification" if values is None or labels else "regression"
    task = task or default
    if task == "regression":
        if values is None:
            raise ValueError(
                f"{source} must have numbers as {name!r} for a regression, has text"
            )
        return Goal(task, values)
    exact = values is not None and (np.abs(values) < EXACT).all()
    _, first, indices = np.unique(
        values if exact else target, return_index=True, return_inverse=True
    )
    if len(first) < 2:
        raise ValueError(
            f"{source} must have two classes at least in {name!r}, got {len(first)}"
        )
    classes = target[first]  # as they are written, if they are
    if whole and classes.dtype.kind in "bf":
        classes = np.array([int(label) for label in classes])
    return Goal(task, indices, classes.astype(str))
