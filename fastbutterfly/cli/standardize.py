"""Scaling: what standardises inputs and targets becomes part of a network."""

import numpy as np

from .. import nn
from .._plans.patterns import views

LARGEST_OFFSET = 1e4  # of a column, in deviations: float32 then still has 3 digits
LEAST, LARGEST = 1e-30, 1e30  # of a column: float32 then holds products with weights


def moments(X, names):
    """Mean and deviation of each column, 1 for constant ones; `names` or None."""
    least, most = X.min(axis=0), X.max(axis=0)
    constant, spread = least == most, most / 2 - least / 2
    wrong = (np.maximum(most, -least) > LARGEST) | (~constant & (spread < LEAST))
    for i in np.flatnonzero(wrong):
        raise ValueError(
            f"column {_name(names, i)} has numbers from {least[i]:.3g} to "
            f"{most[i]:.3g}, not of a size for single precision; multiply it by a "
            "constant, or leave it out"
        )
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation[constant] = 1
    for i in np.flatnonzero(~constant & (np.abs(mean) > LARGEST_OFFSET * deviation)):
        raise ValueError(
            f"column {_name(names, i)} varies by {deviation[i]:.3g} around "
            f"{mean[i]:.7g}, too little for single precision; subtract a constant from "
            "it, or leave it out"
        )
    return mean, deviation


def _name(names, i):
    return repr(names[i]) if names else i


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
