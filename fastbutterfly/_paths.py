"""Paths: products of weights between a few coordinates and all that they reach.

From a kept output of a butterfly with increasing strides, layers are followed backwards
from the largest stride; from a used input of one with decreasing strides, forwards.
Either way a coordinate i leads to i and to i ^ s at each layer of stride s, and after
`depth - lowest` layers to all that agree with it in the lower bits.
"""

import numpy as np


def routes(n, kept, lowest, increasing):
    """Where the paths end, (kept, 2**k), and the weights of each layer on the way.

    `lowest` layers with small strides are left out. The weights are two arrays for each
    layer, of positions in all flat weights: for those who stay and for those who move.
    """
    depth, i, steps = n.bit_length() - 1, np.asarray(kept)[:, np.newaxis], []
    for level in range(depth - 1, lowest - 1, -1):
        s = 1 << level
        layer = level if increasing else depth - 1 - level
        b = i // s % 2
        block = 2 * n * layer + 4 * (i // (2 * s) * s + i % s)
        steps.append((block + 3 * b, block + (1 + b if increasing else 2 - b)))
        i = np.concatenate([i, i ^ s], axis=1)
    return i, steps


def products(weights, steps):
    """Products of the flat weights on the paths, and those after each layer before."""
    found = [np.ones((len(steps[0][0]), 1), weights.dtype)]
    for stay, move in steps:
        last = found[-1]
        ahead = last * weights.take(stay), last * weights.take(move)
        found.append(np.concatenate(ahead, axis=1))
    return found


def products_back(weights, steps, found, gradient):
    """Gradient of the flat weights from that of `products`."""
    gweights = np.zeros(weights.shape, weights.dtype)
    for (stay, move), product in zip(steps[::-1], found[-2::-1], strict=True):
        half = gradient.shape[1] // 2
        stayed, moved = gradient[:, :half], gradient[:, half:]
        product = product.conj()
        np.add.at(gweights, stay.ravel(), (stayed * product).ravel())
        np.add.at(gweights, move.ravel(), (moved * product).ravel())
        gradient = stayed * weights.take(stay).conj()
        gradient += moved * weights.take(move).conj()
    return gweights
