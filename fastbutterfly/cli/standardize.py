"""Standardising inputs and targets, and folding that into the weights of a network."""

import numpy as np

MAX_OFFSET = 1e4  # of a column, in deviations: float32 then still has 3 digits
# Deviation and absolute value of a column: float32 then holds products with weights.
MIN_SPREAD, MAX_VALUE = 1e-30, 1e30


def moments(X, names):
    """Mean and deviation of each column, 1 for constant ones; `names` or None."""
    low, high = X.min(axis=0), X.max(axis=0)
    constant, spread = low == high, high / 2 - low / 2  # a difference could overflow
    too_large = np.maximum(high, -low) > MAX_VALUE
    for i in np.flatnonzero(too_large | (~constant & (spread < MIN_SPREAD))):
        raise ValueError(
            f"column {_name(names, i)} has numbers from {low[i]:.3g} to "
            f"{high[i]:.3g}, not of a size for single precision; multiply it by a "
            "constant, or leave it out"
        )
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation[constant] = 1
    for i in np.flatnonzero(~constant & (np.abs(mean) > MAX_OFFSET * deviation)):
        raise ValueError(
            f"column {_name(names, i)} varies by {deviation[i]:.3g} around "
            f"{mean[i]:.7g}, too little for single precision; subtract a constant from "
            "it, or leave it out"
        )
    return mean, deviation


def _name(names, i):
    return repr(names[i]) if names else i


def fold_inputs(net, mean, deviation):
    """Make the first layer, which has a bias, take x instead of the scaled x.

    W^T ((x - mean) / deviation) + bias = (W / deviation)^T x + (bias - shift), where
    the shift is what the scaled weights make of the mean.
    """
    from .. import nn  # compiles kernels

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
    at_mean, at_zero = first(np.stack([mean, np.zeros_like(mean)]))
    parts[-1].bias -= at_mean - at_zero


def _scale_columns(layer, factors):
    """Multiply the columns of a butterfly's matrix, in its first layer's blocks."""
    from .._plans.patterns import views

    operator = layer.operator
    a, _, c, d = operator.pattern[0]
    scales = np.ones(a * c * d)
    scales[slice(None) if operator.inputs is None else operator.inputs] = factors
    scales = scales.reshape(a, c, d).swapaxes(1, 2).reshape(a * d, 1, c)
    views(layer.weights.reshape(-1), operator.pattern)[0][...] *= scales


def fold_outputs(net, mean, deviation):
    """Make the last layer, a dense one, give y instead of the scaled y."""
    last = net.layers[-1]
    last.weights *= deviation
    last.bias[...] = last.bias * deviation + mean
