"""Forms: steps as small as can be, or as compilers vectorise them."""

from dataclasses import replace
from itertools import groupby

import numpy as np

from . import steps as step

FEW = 0.6  # share of the blocks of a layer below which they are listed
LANES = 8  # numbers that lie side by side where a compiler vectorises


def pruned(steps):
    """Leave out blocks that only zeros reach, or that nothing kept depends on."""
    found = list(steps)
    for i, known in enumerate(_reached(steps)):
        if known is not None:
            found[i] = _some(found[i], known)
    return [_inside(one, pruned) for one in found]


def vectorized(steps):
    """Do layers with small strides on transposed samples, where strides are large."""
    found = []
    for short, group in groupby(steps, _is_short):
        group = list(group)
        if short:
            rows = group[0].n_in // LANES
            found.append(step.Transpose(rows, LANES))
            found += [_turned(layer, rows) for layer in group]
            found.append(step.Transpose(LANES, rows))
        else:
            found += group
    return [_inside(one, vectorized) for one in found]


def _inside(one, form):
    """A step, with the steps in it in this form."""
    return replace(one, steps=tuple(form(one.steps))) if hasattr(one, "steps") else one


def _is_square(one):
    return isinstance(one, step.Blocks) and one.weights.shape[1:3] == (2, 2)


def _is_short(one):
    if not _is_square(one) or one.n_in % LANES**2:
        return False
    return one.weights.shape[-1] in (1, 2, 4)


def _turned(layer, rows):
    """The layer on samples that are transposed from (rows, LANES)."""
    a, _, _, d = layer.weights.shape
    weights = layer.weights.reshape(rows, a // rows, 2, 2, d)
    weights = weights.transpose(1, 2, 3, 4, 0).reshape(a // rows, 2, 2, d * rows)
    return step.Blocks(np.ascontiguousarray(weights))


def _reached(steps):
    """For each 2 x 2 layer the blocks (a, d) that matter, for other steps None."""
    reach, masks = None, []
    for one in steps:  # which coordinates may differ from zero
        mask = None
        if isinstance(one, step.Spread):
            reach = np.zeros(one.n_out, bool)
            reach[one.index] = True
        elif _is_square(one) and reach is not None:
            pairs = _pairs(one, reach)
            mask = pairs.any(axis=1)
            pairs[...] = mask[:, np.newaxis]
        else:
            reach = None
        if _is_square(one) and mask is None:
            mask = np.ones((len(one.weights), one.weights.shape[-1]), bool)
        masks.append(mask)
    needed = None
    for i in reversed(range(len(steps))):  # which coordinates are needed
        one = steps[i]
        if isinstance(one, step.Pick):
            needed = np.zeros(one.n_in, bool)
            needed[one.index] = True
        elif _is_square(one) and needed is not None:
            pairs = _pairs(one, needed)
            masks[i] &= pairs.any(axis=1)
            pairs[...] |= masks[i][:, np.newaxis]
        else:
            needed = None
    return masks


def _pairs(layer, coordinates):
    """The pairs (a, 2, d) of coordinates, a view."""
    return coordinates.reshape(len(layer.weights), 2, layer.weights.shape[-1])


def _some(layer, mask):
    if mask.mean() >= FEW:
        return layer
    d = layer.weights.shape[-1]
    i, k = np.nonzero(mask)
    weights = layer.weights.transpose(0, 3, 1, 2)[mask]
    return step.Pairs(np.ascontiguousarray(weights), i * 2 * d + k, d, layer.n_in)
