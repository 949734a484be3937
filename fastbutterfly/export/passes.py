"""Passes from steps to steps: without useless blocks, and in a form that vectorises.

A pass takes the steps of a network and returns others that compute the same outputs.
"""

from itertools import groupby

import numpy as np

from .lowering import lower
from .steps import Blocks, Pairs, Pick, Spread, Transpose, map_nested

# A layer lists its blocks if fewer than this share matter. A listed block needs an
# index beside its four weights: with int8 weights and 16-bit indices, listing saves
# memory below 2 / 3.
MAX_LISTED = 0.6
LANES = 8  # contiguous elements of an inner loop: a vector register of AVX, two of NEON


def pruned_steps(net):
    """Lower a network, or raise, and prune its steps."""
    return prune(lower(net, net.n_in))


def prune(steps):
    """Leave out blocks that only zeros reach, or that no kept output depends on.

    1. Go forward from each `Spread`: which coordinates can differ from zero?
    2. Go back from each `Pick`: which coordinates do kept outputs depend on?
    3. A 2 x 2 block matters if both hold for one of its coordinates. Layers in which
       few blocks matter become lists of these.
    """
    useful = zip(_reachable(steps), _needed(steps), strict=True)
    return [
        map_nested(prune, _listed(step, *masks) if is_two_by_two(step) else step)
        for step, masks in zip(steps, useful, strict=True)
    ]


def vectorize(steps):
    """Apply layers with strides below LANES to transposed samples.

    There their strides are large, so that the inner loop runs over contiguous elements.
    """
    result = []
    for has_small_stride, group in groupby(steps, _has_small_stride):
        group = list(group)
        if has_small_stride:
            rows = group[0].n_in // LANES
            result.append(Transpose(rows, LANES))
            result += [_on_transposed(layer, rows) for layer in group]
            result.append(Transpose(LANES, rows))
        else:
            result += group
    return [map_nested(vectorize, step) for step in result]


def is_two_by_two(step):
    """Whether a step is a layer of 2 x 2 blocks."""
    return isinstance(step, Blocks) and step.weights.shape[1:3] == (2, 2)


def _has_small_stride(step):
    # Transposed, the stride is at least n / LANES, which must be at least LANES.
    if not is_two_by_two(step) or step.n_in % LANES**2:
        return False
    return step.weights.shape[-1] in (1, 2, 4)


def _on_transposed(layer, rows):
    """The layer on samples that are transposed from (rows, LANES)."""
    a, _, _, d = layer.weights.shape
    weights = layer.weights.reshape(rows, a // rows, 2, 2, d)
    weights = weights.transpose(1, 2, 3, 4, 0).reshape(a // rows, 2, 2, d * rows)
    return Blocks(np.ascontiguousarray(weights))


def _reachable(steps):
    """For each step the blocks (a, d) that may get more than zeros, None for all."""
    return _propagate(steps, Spread, lambda step: step.n_out)


def _needed(steps):
    """For each step the blocks (a, d) that kept outputs depend on, None for all."""
    return _propagate(steps[::-1], Pick, lambda step: step.n_in)[::-1]


def _propagate(steps, selection, size):
    """Follow the coordinates of each selection through the 2 x 2 layers behind it.

    A block with a marked coordinate is marked, and then both of its coordinates are.
    """
    marked, masks = None, []
    for step in steps:
        mask = None
        if isinstance(step, selection):
            marked = np.zeros(size(step), bool)
            marked[step.index] = True
        elif is_two_by_two(step) and marked is not None:
            pairs = marked.reshape(len(step.weights), 2, -1)  # (a, 2, d), a view
            mask = pairs.any(axis=1)
            pairs[...] = mask[:, np.newaxis]
        else:
            marked = None
        masks.append(mask)
    return masks


def _listed(layer, *masks):
    """The layer, as a list of its blocks in all masks (a, d) if these are few."""
    d = layer.weights.shape[-1]
    mask = np.ones((len(layer.weights), d), bool)
    for known in masks:
        if known is not None:
            mask &= known
    if mask.mean() >= MAX_LISTED:
        return layer
    i, k = np.nonzero(mask)
    weights = layer.weights.transpose(0, 3, 1, 2)[mask]
    return Pairs(np.ascontiguousarray(weights), i * 2 * d + k, d, layer.n_in)
