"""Scaling: what standardises inputs and targets becomes part of a network."""

import numpy as np

from .. import nn
from .._pattern import views

LARGEST_OFFSET = 1e4  # of a column, in deviations: float32 then still has 3 digits


def moments(X, names):
    """Mean and deviation of each column, 1 for constant ones."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation[np.ptp(X, axis=0) == 0] = 1
    offset = np.abs(mean) / deviation
    worst = int(offset.argmax())
    if np.ptp(X[:, worst]) and offset[worst] > LARGEST_OFFSET:
        name = repr(names[worst]) if names else worst
        raise ValueError(
            f"column {name} varies by {deviation[worst]:.3g} around {mean[worst]:.7g}, "
            "too little for single precision; subtract a constant from it, or --drop it"
        )
    return mean, deviation


def fold_inputs(net, mean, deviation):
    """Have the first layer, which has a bias, take x instead of the scaled x."""
    first = net.layers[0]
    parts = first.layers if isinstance(first, nn.ButterflyDense) else (first,)
    butterfly = not isinstance(first, nn.Dense)
    if butterfly and parts[0].operator.pattern:
        _scale_columns(parts[0], 1 / deviation)
    else:  # of a gadget for one number, the core is the first with weights
        dense = next((part for part in parts if isinstance(part, nn.Dense)), None)
        if dense is None:
            raise ValueError("a butterfly of one number needs --hidden 2 at least")
        dense.weights /= deviation[:, np.newaxis]
    zero = np.zeros_like(mean)
    parts[-1].bias -= np.subtract(*first(np.stack([mean, zero])))


def _scale_columns(layer, factors):
    """Multiply the columns of a butterfly's matrix, in the layer that is first."""
    operator = layer.operator
    a, _, c, d = operator.pattern[0]
    scales = np.ones(a * c * d)
    scales[slice(None) if operator.inputs is None else operator.inputs] = factors
    scales = scales.reshape(a, c, d).swapaxes(1, 2).reshape(a * d, 1, c)
    views(layer.weights.reshape(-1), operator.pattern)[0][...] *= scales


def fold_outputs(net, mean, deviation):
    """Have the last layer, a dense one, give y instead of the scaled y."""
    last = net.layers[-1]
    last.weights *= deviation
    last.bias[...] = last.bias * deviation + mean
