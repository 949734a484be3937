"""Packing: where the weights that a kernel reads one after the other come from.

Canonical: layer, pair, 2x2 block. Packed, for u lanes in a register and size
max(n, 4 u): one piece of 2 * size weights for each stride 1, 2, 4, ..., size / 2, in
this order whatever the order of the layers.

- Stride s < u: for each register the weights of its own lanes, block[b, b] at lane i
  with b = i / s % 2, then those of the lanes i ^ s, block[b, 1 - b].
- Stride s >= u: for u neighbouring pairs, their block[0, 0], [0, 1], [1, 0], [1, 1].

A butterfly smaller than four registers is repeated to fill them; strides without a
layer get the identity.
"""

import numpy as np


def packed_order(n, u, increasing):
    """Canonical position of each packed weight; 2 n log2(n) is a zero, then a one."""
    size, depth = max(n, 4 * u), n.bit_length() - 1
    zero = 2 * n * depth
    i = np.arange(size)
    pieces = []
    for level in range(size.bit_length() - 1):
        s = 1 << level
        layer = level if increasing else depth - 1 - level
        block = 2 * n * layer + 4 * (i % n // (2 * s) * s + i % s)
        b = i // s % 2
        same, other = block + 3 * b, block + 1 + b
        if s >= n:
            same, other = np.full(size, zero + 1), np.full(size, zero)
        if s < u:
            piece = np.stack([same.reshape(-1, u), other.reshape(-1, u)], axis=1)
        else:
            halves = (-1, 2, s // u, u)
            same, other = same.reshape(halves), other.reshape(halves)
            first, second = (same[:, 0], other[:, 0]), (other[:, 1], same[:, 1])
            piece = np.stack([*first, *second], axis=2)
        pieces.append(piece.ravel())
    return np.concatenate(pieces).astype(np.intp)
