"""Layers as sparse matrices."""

import numpy as np

from .._plans import patterns


def sparse_factors(plan, weights):
    """The layers as scipy.sparse.csr_array, the one applied last first."""
    from scipy.sparse import csr_array, eye_array  # slow to import

    layers = []
    for layer, blocks in zip(plan.pattern, plan.views(weights), strict=True):
        a, b, c, d = layer
        shape = patterns.n_out(layer), patterns.n_in(layer)
        ends = (
            np.arange(size).reshape(a, count, d).swapaxes(1, 2).reshape(a * d, count)
            for size, count in zip(shape, (b, c), strict=True)
        )
        rows, columns = next(ends)[:, :, np.newaxis], next(ends)[:, np.newaxis]
        where = (np.broadcast_to(i, (a * d, b, c)).ravel() for i in (rows, columns))
        layers.insert(0, csr_array((blocks.ravel(), tuple(where)), shape=shape))
    layers = layers or [csr_array(eye_array(plan.sizes[0], dtype=weights.dtype))]
    if plan.outputs is not None:
        layers[0] = layers[0][plan.outputs]
    if plan.inputs is not None:
        layers[-1] = layers[-1][:, plan.inputs]
    return layers
