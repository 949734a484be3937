"""Algebra of square butterflies: inverse, determinant, diagonal, bounds; O(n log n).

All of it goes block by block: a butterfly is a product of block-diagonal layers, up to
permutations.
"""

import numpy as np
from numpy.linalg import LinAlgError

from .._plans import patterns

BATCH = 256  # unit vectors at a time: the identity is never held whole


def inverse_weights(B):
    """Weights of the inverse, in the layout of the plan of the transpose."""
    _require_square(B)
    flat = [np.empty(0, B.dtype)]  # a butterfly of size 1 has no layer
    for layer, blocks in enumerate(B.blocks):
        _check_invertible(blocks, layer)
        flat.append(_inverses(blocks).swapaxes(1, 2).reshape(-1))
    # `transposed` reverses the layers, as the inverse needs, and transposes each block,
    # which the swap of axes above undoes.
    return B.plan.transposed(np.concatenate(flat).reshape(B.weights.shape))


def slogdet(B):
    """Sign and logarithm of |det B|: sums over blocks, and signs of permutations."""
    _require_square(B)
    sign = B.dtype.type(_parity(B.inputs) * _parity(B.outputs))
    logabsdet = np.zeros((), B.dtype).real
    for blocks in B.blocks:
        signs, logs = np.linalg.slogdet(blocks)
        sign, logabsdet = sign * signs.prod(), logabsdet + logs.sum()
    return sign, logabsdet


def condition_bound(B):
    """Product over the layers of their condition numbers; inf for a singular block."""
    _require_square(B)
    bound = 1.0
    for blocks in B.blocks:
        values = _singular_values(blocks)
        largest, smallest = float(values.max()), float(values.min())
        bound *= largest / smallest if smallest else np.inf
    return bound


def orthogonality_bound(B):
    """Product over the layers of 1 + max |s^2 - 1|, less 1; s: singular values."""
    _require_square(B)
    logs = [
        np.log1p(np.abs(_singular_values(blocks) ** 2 - 1).max()) for blocks in B.blocks
    ]
    return float(np.expm1(np.sum(logs)))


def diagonal(B):
    """Diagonal of a square matrix, shape (n,)."""
    n_out, n_in = B.shape
    if n_out != n_in:
        raise ValueError(f"diagonal needs a square butterfly, got {B.shape}")
    if not _has_one_path(B.pattern):
        return _diagonal_of_products(B)
    # Follow the path from input i to output i; each layer sets one digit of `position`.
    position = np.arange(n_in) if B.inputs is None else B.inputs
    end = np.arange(n_in) if B.outputs is None else B.outputs
    entries = np.ones(n_in, B.dtype)
    for (_, r, _, d), blocks in zip(B.pattern, B.blocks, strict=True):
        row, column = end // d % r, position // d % r
        entries *= blocks[position // (r * d) * d + position % d, row, column]
        position = position + (row - column) * d
    return entries


def _require_square(B):
    if B.shape[0] != B.shape[1] or B.shape[0] != B.plan.sizes[0]:
        raise ValueError(
            "only a square butterfly without truncation has an inverse and a "
            f"determinant, got shape {B.shape} of {B.plan.sizes}"
        )
    for k, (a, b, c, d) in enumerate(B.pattern):
        if b != c:
            raise ValueError(
                f"all blocks must be square, got layer {k} of pattern {a, b, c, d}"
            )


def _check_invertible(blocks, layer):
    if not np.isfinite(blocks).all():
        raise LinAlgError(f"layer {layer} has blocks with NaN or Inf")
    values = _singular_values(blocks)
    largest, smallest = values.max(axis=1), values.min(axis=1)
    p = int(np.argmin(smallest / np.where(largest, largest, 1)))
    if not smallest[p]:
        raise LinAlgError(
            f"the butterfly has no inverse: block {p} of layer {layer} is singular"
        )
    if smallest[p] < np.finfo(blocks.dtype).eps * largest[p]:
        raise LinAlgError(
            f"layer {layer} is too badly conditioned to be inverted: the condition "
            f"number of its block {p} is {largest[p] / smallest[p]:.1e}"
        )


def _singular_values(blocks):
    """Singular values of each block, descending; of real 2x2 blocks in closed form."""
    if blocks.shape[1:] != (2, 2) or blocks.dtype.kind == "c":
        return np.linalg.svd(blocks, compute_uv=False)
    a, b, c, d = np.moveaxis(blocks.reshape(-1, 4).astype(float), 1, 0) / 2
    largest = np.hypot(a + d, c - b) + np.hypot(a - d, b + c)
    unit = blocks / np.where(largest > 0, largest, 1)[:, np.newaxis, np.newaxis]
    return np.stack([largest, np.abs(_determinants(unit)) * largest], axis=1)


def _determinants(blocks):
    return blocks[:, 0, 0] * blocks[:, 1, 1] - blocks[:, 0, 1] * blocks[:, 1, 0]


def _inverses(blocks):
    """Inverse of each block; of 2x2 blocks the adjugate, scaled against overflow."""
    if blocks.shape[1:] != (2, 2):
        return np.linalg.inv(blocks)
    wide = blocks.astype(np.result_type(blocks, np.float64), copy=False)
    scale = np.abs(wide).max(axis=(1, 2), keepdims=True)
    wide = wide / scale
    adjugate = np.empty_like(wide)
    adjugate[:, 0, 0], adjugate[:, 1, 1] = wide[:, 1, 1], wide[:, 0, 0]
    adjugate[:, 0, 1], adjugate[:, 1, 0] = -wide[:, 0, 1], -wide[:, 1, 0]
    adjugate /= _determinants(wide)[:, np.newaxis, np.newaxis]
    return (adjugate / scale).astype(blocks.dtype, copy=False)


def _parity(order):
    """Sign of a permutation; None: the identity."""
    if order is None:
        return 1
    sign, seen = 1, np.zeros(len(order), bool)
    order = order.tolist()
    for start in range(len(order)):
        i, cycle = start, 0
        while not seen[i]:
            seen[i], i, cycle = True, order[i], cycle + 1
        sign = -sign if cycle and cycle % 2 == 0 else sign  # even cycles are odd
    return sign


def _has_one_path(pattern):
    """Whether one path leads from each input to each output.

    It does if each layer sets one digit of a coordinate, and no digit is set twice.
    """
    layers = sorted(pattern, key=lambda layer: layer[3])
    return tuple(layers) == patterns.mixed([layer[1] for layer in layers])


def _diagonal_of_products(B):
    """Diagonal from products with the identity, BATCH rows of it at a time."""
    n = B.shape[0]
    entries = np.empty(n, B.dtype)
    for start in range(0, n, BATCH):
        rows = np.arange(start, min(start + BATCH, n))
        unit = np.zeros((len(rows), n), B.dtype)
        unit[np.arange(len(rows)), rows] = 1
        entries[rows] = B.apply(unit)[np.arange(len(rows)), rows]
    return entries
