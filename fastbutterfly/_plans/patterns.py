"""Patterns: Kronecker-sparse layers (a, b, c, d) = I_a (x) dense b x c (x) I_d.

A layer has a * d blocks of b x c; block i * d + k mixes the c inputs (i, :, k) of an
array (a, c, d) into the b outputs (i, :, k) of an array (a, b, d).
"""

import math
import operator
from itertools import pairwise

import numpy as np

from .._base.arguments import as_list, as_numbers, common_dtype

LARGEST = 128  # the largest block of a butterfly whose pattern is not given
REVERSED = {
    "increasing": "decreasing",
    "decreasing": "increasing",
}  # orders of strides


def as_patterns(pattern):
    """A tuple of patterns, layer 0 applied first, whose sizes fit."""
    pattern = as_list("pattern", pattern)
    found = tuple(_as_pattern(layer, k) for k, layer in enumerate(pattern))
    if not found:
        raise ValueError("pattern must have at least one layer, got none")
    for k, (first, second) in enumerate(pairwise(found)):
        if n_out(first) != n_in(second):
            raise ValueError(
                f"pattern must be a chain: layer {k}, {first}, has {n_out(first)} "
                f"outputs, but layer {k + 1}, {second}, has {n_in(second)} inputs"
            )
    return found


def _as_pattern(layer, k):
    try:
        found = tuple(operator.index(number) for number in layer)
    except TypeError:
        found = ()
    if len(found) != 4 or min(found) < 1:
        raise ValueError(
            "pattern must hold four positive ints (a, b, c, d) for each layer, "
            f"got {layer!r} for layer {k}"
        )
    return found


def as_blocks(blocks, pattern):
    """The blocks of each layer, of one dtype that kernels compute in."""
    found = [as_numbers("blocks", layer) for layer in as_list("blocks", blocks)]
    if len(found) != len(pattern):
        raise ValueError(
            f"blocks must have one array for each of the {len(pattern)} layers of the "
            f"pattern, got {len(found)}"
        )
    for k, (layer, (a, b, c, d)) in enumerate(zip(found, pattern, strict=True)):
        if layer.shape != (a * d, b, c):
            raise ValueError(
                f"blocks[{k}] must have shape {(a * d, b, c)} for the pattern "
                f"{(a, b, c, d)}, got {layer.shape}"
            )
    dtype = common_dtype(np.float32, *found)
    return [layer.astype(dtype, copy=False) for layer in found]


def n_in(layer):
    """Inputs of a layer."""
    a, _, c, d = layer
    return a * c * d


def n_out(layer):
    """Outputs of a layer."""
    a, b, _, d = layer
    return a * b * d


def n_stored(layer):
    """Weights of a layer."""
    a, b, c, d = layer
    return a * b * c * d


def transposed(pattern):
    """Patterns of the transpose."""
    return tuple((a, c, b, d) for a, b, c, d in reversed(pattern))


def views(weights, pattern):
    """The blocks (a * d, b, c) of each layer in the flat weights."""
    found, start = [], 0
    for layer in pattern:
        a, b, c, d = layer
        stop = start + n_stored(layer)
        found.append(weights[start:stop].reshape(a * d, b, c))
        start = stop
    return tuple(found)


def mixed(radices, increasing=True):
    """Pattern of the butterfly of size n = product of the radices, one layer each."""
    n, d, found = math.prod(radices), 1, []
    for r in radices:
        found.append((n // (r * d), r, r, d))
        d *= r
    return tuple(found if increasing else reversed(found))


def stride_of(pattern):
    """The order of the strides d: "increasing", "decreasing", or None for neither."""
    strides = [layer[3] for layer in pattern]
    if strides == sorted(strides):
        return "increasing"
    return "decreasing" if strides == sorted(strides, reverse=True) else None


def as_radices(radices, n):
    """Radices whose product is n; None: twos for a power of two, else `factors_of`."""
    if radices is None:
        if n & (n - 1) == 0:
            return (2,) * (n.bit_length() - 1)
        return factors_of(n)
    try:
        found = tuple(operator.index(r) for r in radices)
    except TypeError:
        raise TypeError(f"radices must be ints, got {radices!r}") from None
    if any(r < 2 for r in found) or math.prod(found) != n:
        raise ValueError(
            f"radices must be at least 2 and have the product n = {n}, got {found}"
        )
    return found


def factors_of(n):
    """Radices for a size: its odd primes, fours, and at most one two."""
    left, found = n, []
    for prime in range(3, LARGEST, 2):
        while left % prime == 0:
            found.append(prime)
            left //= prime
    twos = (left & -left).bit_length() - 1
    if left >> twos > 1:
        raise ValueError(
            f"n must have no prime factor above {LARGEST}, got {n} with the factor "
            f"{left >> twos}; use fastbutterfly.truncated, which takes any size, or "
            "Butterfly.from_blocks with a pattern of your own"
        )
    return (4,) * (twos // 2) + (2,) * (twos % 2) + tuple(found)


def effective(pattern, inputs, outputs):
    """Number of weights on a path from a used input to a kept output."""
    if not pattern:
        return 0
    live = [_mask(n_in(pattern[0]), inputs)]
    for a, b, c, d in pattern:
        reached = live[-1].reshape(a, c, d).any(axis=1)
        live.append(np.repeat(reached[:, np.newaxis], b, axis=1).ravel())
    count, needed = 0, _mask(n_out(pattern[-1]), outputs)
    for (a, b, c, d), before in zip(pattern[::-1], live[-2::-1], strict=True):
        ends, starts = needed.reshape(a, b, d), before.reshape(a, c, d)
        count += int((ends.sum(axis=1) * starts.sum(axis=1)).sum())
        wanted = ends.any(axis=1)
        needed = np.repeat(wanted[:, np.newaxis], c, axis=1).ravel()
    return count


def _mask(n, kept):
    if kept is None:
        return np.ones(n, bool)
    mask = np.zeros(n, bool)
    mask[kept] = True
    return mask
