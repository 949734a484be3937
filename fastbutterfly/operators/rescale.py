"""Butterflies, and chains of them, with scaled or reordered inputs or outputs."""

import numpy as np

from .butterfly import Butterfly
from .composite import Chain


def scaled(B, *, inputs=1, outputs=1):
    """diag(outputs) B diag(inputs), for a butterfly or a chain of them.

    The scales go into the blocks of the first and of the last layer.
    """
    if isinstance(B, Chain):
        return _at_ends(scaled, B, inputs=inputs, outputs=outputs)
    blocks, (a, _, c, d), (e, b, _, f) = list(B.blocks), B.pattern[0], B.pattern[-1]
    first = _scale_of_blocks(B, inputs, B.inputs, (a, c, d))
    last = _scale_of_blocks(B, outputs, B.outputs, (e, b, f))
    blocks[0] = blocks[0] * first[:, np.newaxis]
    blocks[-1] = blocks[-1] * last[:, :, np.newaxis]
    return Butterfly.from_blocks(blocks, B.pattern, inputs=B.inputs, outputs=B.outputs)


def reordered(B, *, inputs=None, outputs=None):
    """B with these of its inputs and outputs, in this order; also for a chain."""
    if isinstance(B, Chain):
        return _at_ends(reordered, B, inputs=inputs, outputs=outputs)
    sizes = B.plan.sizes[::-1]
    ends = zip((B.inputs, B.outputs), (inputs, outputs), sizes, strict=True)
    inputs, outputs = (
        index if order is None else (np.arange(size) if index is None else index)[order]
        for index, order, size in ends
    )
    return Butterfly.from_blocks(B.blocks, B.pattern, inputs=inputs, outputs=outputs)


def _at_ends(change, chain, *, inputs, outputs):
    """The chain with `change` made to its innermost and its outermost operator."""
    operators = list(chain.operators)
    operators[0] = change(operators[0], outputs=outputs)
    operators[-1] = change(operators[-1], inputs=inputs)
    return Chain(operators)


def _scale_of_blocks(B, scale, index, shape):
    """The scale of each coordinate of each block, (a * d, count)."""
    a, count, d = shape
    full = np.ones(a * count * d, np.result_type(B.dtype, scale))
    full[slice(None) if index is None else index] = scale
    return full.reshape(a, count, d).swapaxes(1, 2).reshape(a * d, count)
