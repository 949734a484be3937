"""Packing: weights in the order in which kernels read them, and back.

1. Canonical weights lie layer by layer, pair by pair, 2x2 block by 2x2 block.
2. Complex ones become two real numbers each, in an array more (`split`).
3. Packed ones lie sweep by sweep, from small strides to large (`schedule.py`); closed
   group of rows by closed group; and in a group as `_kernels/layers.py` numbers them.
   Each is a register of the u neighbouring weights that it is for, or (u = 1) one
   element for all lanes; of a complex weight there are two.

For each level of a sweep, both orders are axes of one array: a reshape and a transpose
make a view of the packed and one of the canonical weights, of the same shape, and
copying one to the other packs or unpacks (`_pieces`). Copied once are positions instead
of weights (`order`); then one gather packs all.
"""

import math

import numpy as np

from .._base.memory import frozen
from .._kernels.schedule import count_levels


def order(depth, half, width, increasing, u, schedule, size=None):
    """Canonical position of each packed weight, in `width` arrays one after another.

    The packed weights are all, or so many: those of the layers in `schedule`, a tuple
    of `Sweep`s. Read-only.
    """
    shape = width, depth, half, 2, 2
    count = math.prod(shape)
    parts = np.arange(count, dtype=np.int32 if count < 1 << 31 else np.int64)
    parts = parts.reshape(shape)
    packed = np.empty(parts.size if size is None else size, parts.dtype)
    fill(packed, parts, increasing, u, schedule)
    return frozen(packed)


def fill(packed, parts, increasing, u, schedule, *, back=False):
    """Copy parts, (width, depth, n/2, 2, 2), to the flat array `packed`, or back."""
    for view, part in _pieces(packed, parts, increasing, u, schedule):
        if back:
            part[...] = view
        else:
            view[...] = part


def split(weights):
    """Weights as kernels multiply by them; for complex ones an array more.

    Those are real and imaginary parts, as two components of a complex element each: a
    register of it then has them in every component, see `_kernels/layers.py`.
    """
    if weights.dtype.kind != "c":
        return weights[np.newaxis]
    return np.stack([weights.real * (1 + 1j), weights.imag * (-1 + 1j)])


def joined(sums):
    """Gradient of weights from the sums for the arrays of `split`, its adjoint."""
    if sums.dtype.kind != "c":
        return sums[0]
    return sums[0].real + sums[0].imag + 1j * (sums[1].real - sums[1].imag)


def _pieces(packed, parts, increasing, u, schedule):
    """Pairs of views, of the packed and of the canonical weights, of the same shape."""
    width, _, half = parts.shape[:3]
    rows = 2 * half // u
    small = (schedule and schedule[0].inner) or count_levels(u)
    layers = parts if increasing else parts[:, ::-1]  # by stride
    for t, k, inner in schedule:
        size = 2 * width * u * rows * (k + inner)
        sweep, packed = packed[:size], packed[size:]
        sweep = sweep.reshape(rows >> (t + k), 1 << t, -1)
        at = (2 * inner << k) * width * u if increasing else (2 * k << k) * width * u
        before, after = sweep[..., :at], sweep[..., at:]
        mixing, within = (after, before) if increasing else (before, after)
        for axis in range(k):
            level = small + t + (axis if increasing else k - 1 - axis)
            yield _mixing(mixing, layers[:, level], k, axis, width, u, increasing)
        if inner:
            yield from _within(within, layers[:, :inner], k, width, u, increasing)


def _mixing(packed, layer, k, axis, width, u, increasing):
    """Weights of one level: group, row in it, pairs, block, width, lane."""
    groups, s = packed.shape[:2]
    pairs = (2,) * (k - 1)
    packed = packed.reshape(groups, s, k, *pairs, 4, width, u)[:, :, axis]
    layer = layer.reshape(width, groups, *pairs, s, u, 4)
    bits = range(2, k + 1) if increasing else range(k, 1, -1)
    return packed, layer.transpose(1, k + 1, *bits, k + 3, 0, k + 2)


def _within(packed, layers, k, width, u, increasing):
    """Weights within registers: group, layer, rows, own or other, width, lane."""
    groups, inner = len(packed), layers.shape[1]
    packed = packed.reshape(groups, inner, *(2,) * k, 2, width, u)
    bits = range(2, k + 2)
    if not increasing:
        packed, bits = packed[:, ::-1], bits[::-1]
    for level in range(inner):
        s = 1 << level
        layer = layers[:, level].reshape(width, groups, *(2,) * k, -1, s, 2, 2)
        layer = layer.transpose(1, *bits, 0, *range(k + 2, k + 6))
        for b in range(2):
            for other in range(2):
                target = packed[:, level, ..., other, :, :]
                target = target.reshape(*target.shape[:-1], -1, 2, s)
                yield target[..., b, :], layer[..., b, b ^ other]
