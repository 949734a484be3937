"""Paths: products of weights between a few coordinates and all that they reach.

From a kept output of a butterfly with increasing strides, layers are followed backwards
from the largest stride; from a used input of one with decreasing strides, forwards.
Either way a coordinate i leads to i and to i ^ s at each layer of stride s, and after
`depth - lowest` layers to all that agree with it in the lower bits.
"""

import numpy as np

from .._kernels import path_products


class Paths:
    """The paths of a few coordinates of n; `lowest` layers are left out.

    `ends`, (kept, 2**steps), are the coordinates that are reached.
    """

    def __init__(self, n, kept, lowest, increasing):
        depth = n.bit_length() - 1
        nodes = 2 << (depth - lowest)
        self._stay = np.zeros((len(kept), nodes // 2), np.int64)
        self._move = np.zeros_like(self._stay)
        i, h = np.asarray(kept)[:, np.newaxis], 1
        for level in range(depth - 1, lowest - 1, -1):
            s = 1 << level
            layer = level if increasing else depth - 1 - level
            b = i // s % 2
            block = 2 * n * layer + 4 * (i // (2 * s) * s + i % s)
            self._stay[:, h : 2 * h] = block + 3 * b
            self._move[:, h : 2 * h] = block + (1 + b if increasing else 2 - b)
            i, h = np.concatenate([i, i ^ s], axis=1), 2 * h
        self.ends = i

    def leaves(self, tree):
        """Part of a tree, for instance of `products`, at the ends of the paths."""
        return tree[:, tree.shape[1] // 2 :]

    def products(self, weights):
        """Return trees of the products of flat weights."""
        found = np.empty((len(self.ends), 2 * self.ends.shape[1]), weights.dtype)
        path_products.products(weights, self._stay, self._move, found)
        return found

    def back(self, weights, found, gradient, gweights):
        """Add the gradient of flat weights, given that of the leaves of `products`."""
        tree = np.empty_like(found)
        self.leaves(tree)[...] = gradient
        path_products.products_back(
            weights, self._stay, self._move, found, tree, gweights
        )
