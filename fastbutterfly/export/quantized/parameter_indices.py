"""Which parameter of a network each weight of its steps is."""

import copy
from dataclasses import replace

import numpy as np

from ..passes import pruned_steps


def parameter_indices(net):
    """The pruned steps, with indices of parameters as weights, -1 for a fixed weight.

    A copy of the network is lowered twice: with parameters 0, and with each parameter
    one more than its index. The difference of a weight is 0 if it is fixed.
    """
    probe = copy.deepcopy(net)
    size = probe.parameters.size
    if size >= 1 << np.finfo(probe.dtype).nmant:  # floats hold no larger integers
        raise ValueError(f"net has too many parameters to be told apart, {size}")
    lowered = []
    for values in (0, 1 + np.arange(size)):
        probe.parameters[...] = values
        lowered.append(pruned_steps(probe))
    return [_difference(*pair) for pair in zip(*lowered, strict=True)]


def _difference(zero, counted):
    """A step whose weights are the indices of parameters."""
    if not hasattr(counted, "weights"):
        return counted
    difference = counted.weights - zero.weights
    if np.any(difference != np.rint(difference)):
        raise TypeError("net must not have weights that are functions of parameters")
    return replace(counted, weights=difference.astype(int) - 1)
