"""Models: a saved network and what its file says about it."""

from dataclasses import dataclass

import numpy as np

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
        found = {key: getattr(self, key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def __str__(self):
        ends = f"{self.net.n_in} -> {self.net.n_out}, {self.net.dtype}"
        if self.task is None:
            return ends
        return f"{ends}, {self.task} of {self.target!r}"


def read(path):
    """The model in a file; what is said about it must fit the network."""
    net = nn.load(path)
    about = nn.about(path)
    if net.n_in is None:
        raise ValueError(f"{path} must hold a network that has a size, got {net!r}")
    if about.get("task") not in TASKS:
        return Model(net)
    model = Model(net, about["task"], about.get("target"), about.get("features"))
    right = isinstance(model.target, str)
    if model.features is not None:
        right &= _are_names(model.features, net.n_in)
    if model.task == "classification":
        model.classes = about.get("classes")
        right &= _are_names(model.classes, net.n_out)
    else:
        right &= net.n_out == 1
    if not right:
        raise ValueError(
            f"{path} must say a target, and names for the {net.n_in} inputs (or none) "
            f"and the {net.n_out} outputs of its network, and does not"
        )
    return model


def _are_names(value, count):
    right = isinstance(value, list) and len(value) == count
    return right and all(isinstance(name, str) for name in value)


def outputs(model, X):
    """Outputs of the network, refused where they are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        y = model.net(X)
    if not np.isfinite(y).all():
        row = np.argwhere(~np.isfinite(y))[0, 0]
        raise ValueError(f"the model's outputs are not finite for row {row + 1}")
    return y
