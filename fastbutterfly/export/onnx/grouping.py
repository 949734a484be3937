"""Grouping: consecutive layers of small blocks become one layer of larger blocks.

Runtimes multiply large matrices at full speed, and many small blocks slowly. A group of
several layers has more multiply-adds than these, but fewer passes over the samples.
"""

from itertools import groupby
from math import gcd

from ..steps import Blocks, LayerStart, Pick, Spread, map_nested

# Cost of a product by blocks beside its multiply-adds, in multiply-adds an element:
# samples are transposed for it. Measured with onnxruntime.
TRANSPOSE_COST = 128
LINEAR = Spread, Blocks, Pick


class Group:
    """Consecutive linear layers, as one layer of the pattern (a, b, c, d).

    With a `Spread` or `Pick` among them it is a matrix, a = d = 1. `cost` is in
    multiply-adds a sample.
    """

    def __init__(self, layers):
        self.layers, self.n_in, self.n_out = layers, layers[0].n_in, layers[-1].n_out
        self.a = self.d = 1
        if all(isinstance(layer, Blocks) for layer in layers):
            shapes = [layer.weights.shape for layer in layers]
            self.a = gcd(*(a for a, *_ in shapes))
            self.d = gcd(*(d for *_, d in shapes))
        self.c, self.b = (n // (self.a * self.d) for n in (self.n_in, self.n_out))
        self.is_matrix = self.a * self.d == 1
        self.cost = self.a * self.b * self.c * self.d
        if not self.is_matrix:
            self.cost += TRANSPOSE_COST * max(self.n_in, self.n_out)

    def transposed(self):
        """The group whose matrix is the transpose."""
        return Group([_transposed(layer) for layer in reversed(self.layers)])


def group_layers(steps):
    """Steps with linear layers in the groups that cost the least."""
    result, steps = [], [step for step in steps if not isinstance(step, LayerStart)]
    for linear, run in groupby(steps, lambda step: isinstance(step, LINEAR)):
        result += (_cheapest_groups if linear else list)([*run])
    return [map_nested(group_layers, step) for step in result]


def _cheapest_groups(layers):
    """Dynamic programming over the end of the last group, O(layers^2) groups."""
    best = [(0, [])]  # for the first i layers: cost, groups
    for stop in range(1, len(layers) + 1):
        candidates = []
        for start in range(stop):
            cost, before = best[start]
            group = _as_group(layers[start:stop])
            # A Spread or Pick alone has no products, but passes over the samples.
            alone = TRANSPOSE_COST * max(group.n_in, group.n_out)
            cost += getattr(group, "cost", alone)
            candidates.append((cost, [*before, group]))
        best.append(min(candidates, key=lambda candidate: candidate[0]))
    return best[-1][1]


def _as_group(layers):
    """A group, or the layer itself if it is a `Spread` or `Pick` alone."""
    alone = len(layers) == 1 and not isinstance(layers[0], Blocks)
    return layers[0] if alone else Group(layers)


def _transposed(layer):
    """The layer whose matrix is the transpose."""
    if isinstance(layer, Spread):
        return Pick(layer.index, layer.n_out)
    if isinstance(layer, Pick):
        return Spread(layer.index, layer.n_in)
    return Blocks(layer.weights.swapaxes(1, 2))
