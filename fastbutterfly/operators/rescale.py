"""Ends: butterflies, and chains, whose inputs or outputs are scaled or reordered."""

import numpy as np

from .butterfly import Butterfly
from .composite import Chain


def scaled(B, *, inputs=1, outputs=1):
    """diag(outputs) B diag(inputs), for a butterfly or a chain of them."""
    if isinstance(B, Chain):
        last, *rest = B.operators
        last = Chain([scaled(last, outputs=outputs), *rest])
        *rest, first = last.operators
        return Chain([*rest, scaled(first, inputs=inputs)])
    blocks, (a, _, c, d), (e, b, _, f) = list(B.blocks), B.pattern[0], B.pattern[-1]
    blocks[0] = blocks[0] * _spread(B, inputs, B.inputs, (a, c, d))[:, np.newaxis]
    blocks[-1] = (
        blocks[-1] * _spread(B, outputs, B.outputs, (e, b, f))[:, :, np.newaxis]
    )
    return Butterfly.from_blocks(blocks, B.pattern, inputs=B.inputs, outputs=B.outputs)


def reordered(B, *, inputs=None, outputs=None):
    """B with some of its inputs and outputs, in this order, also for a chain."""
    if isinstance(B, Chain):
        last, *rest = B.operators
        *rest, first = Chain([reordered(last, outputs=outputs), *rest]).operators
        return Chain([*rest, reordered(first, inputs=inputs)])
    sizes = B.plan.sizes[::-1]
    ends = zip((B.inputs, B.outputs), (inputs, outputs), sizes, strict=True)
    inputs, outputs = (
        index if order is None else (np.arange(size) if index is None else index)[order]
        for index, order, size in ends
    )
    return Butterfly.from_blocks(B.blocks, B.pattern, inputs=inputs, outputs=outputs)


def _spread(B, scale, index, shape):
    """The scale of each coordinate of each block, (a * d, count)."""
    a, count, d = shape
    full = np.ones(a * count * d, np.result_type(B.dtype, scale))
    full[slice(None) if index is None else index] = scale
    return full.reshape(a, count, d).swapaxes(1, 2).reshape(a * d, count)
