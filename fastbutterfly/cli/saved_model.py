"""Models: a saved network and what its file says about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .. import nn

TASKS = "classification", "regression"


@dataclass
class Model:
    """A network, with names where its file has them; see FORMAT.md."""

    net: nn.Layer
    task: str | None = None
    target: str | None = None
    features: list[str] | None = None
    classes: list[str] | None = None

    @property
    def names(self):
        """What the file says, without what it does not."""
        keys = "task", "target", "features", "classes"
        values = {key: getattr(self, key) for key in keys}
        return {key: value for key, value in values.items() if value is not None}

    def __str__(self):
        shape = f"{self.net.n_in} -> {self.net.n_out}, {self.net.dtype}"
        if self.task is None:
            return shape
        return f"{shape}, {self.task} of {self.target!r}"


def read(path):
    """The model in a file; what is said about it must fit the network."""
    from .. import nn  # compiles kernels

    net = nn.load(path)
    about = nn.about(path)
    if net.n_in is None:
        raise ValueError(f"{path} must hold a network that has a size, got {net!r}")
    if about.get("task") not in TASKS:
        return Model(net)
    model = Model(net, about["task"], about.get("target"), about.get("features"))
    valid = isinstance(model.target, str)
    if model.features is not None:
        valid &= _are_names(model.features, net.n_in)
    if model.task == "classification":
        model.classes = about.get("classes")
        valid &= _are_names(model.classes, net.n_out)
    else:
        valid &= net.n_out == 1
    if not valid:
        raise ValueError(
            f"{path} must say a target, and names for the {net.n_in} inputs (or none) "
            f"and the {net.n_out} outputs of its network, and does not"
        )
    return model


def _are_names(value, count):
    fits = isinstance(value, list) and len(value) == count
    return fits and all(isinstance(name, str) for name in value)


def outputs(model, X):
    """Outputs of the network, refused where they are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        y = model.net(X)
    if not np.isfinite(y).all():
        row = np.argwhere(~np.isfinite(y))[0, 0]
        raise ValueError(f"the model's outputs are not finite for row {row + 1}")
    return y
