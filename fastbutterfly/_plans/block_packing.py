"""Block packing: weights of layers of any blocks as kernels read them, and back.

1. Complex weights become two real ones (`packing.split`).
2. The outputs of a block come in groups of four, the last of up to five, since the
   kernel sums so many outputs in registers; within a group the order is (input,
   output).
"""

from functools import cache

import numpy as np

from .._base.memory import frozen
from .._kernels.dense_blocks import FOUR
from . import patterns
from .packing import joined, split


@cache
def _order(b, c):
    """Positions in a block (b, c) of its packed weights: outputs in fours."""
    index, starts = np.arange(b * c).reshape(b, c), [*range(0, b, FOUR)]
    if b % FOUR == 1 and b > 1:
        starts.pop()  # the last are five
    groups = np.split(index, starts[1:])
    return np.concatenate([group.T.ravel() for group in groups])


def pack(weights, pattern):
    """Flat weights in the order of the kernels, read-only."""
    found = []
    for layer in patterns.views(weights, pattern):
        _, b, c = layer.shape
        parts = split(layer.reshape(-1, b * c))[:, :, _order(b, c)]
        found.append(np.moveaxis(parts, 0, -1).ravel())
    return frozen(np.concatenate(found))


def unpack(sums, pattern):
    """Flat canonical gradient from the sums for packed weights."""
    width = 2 if sums.dtype.kind == "c" else 1
    parts, start = sums.reshape(-1, width).T, 0
    weights = np.empty(parts.shape[1], sums.dtype)
    for layer in pattern:
        a, b, c, d = layer
        stop = start + patterns.n_stored(layer)
        ordered = joined(parts[:, start:stop]).reshape(a * d, b * c)
        weights[start:stop].reshape(a * d, b * c)[:, _order(b, c)] = ordered
        start = stop
    return weights
