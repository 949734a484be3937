"""The layers of a butterfly as sparse matrices."""

import numpy as np

from .._plans import patterns


def sparse_factors(plan, weights):
    """The layers as scipy.sparse.csr_array, outermost factor first."""
    from scipy.sparse import csr_array, eye_array  # slow to import

    layers = []
    for layer, blocks in zip(plan.pattern, plan.views(weights), strict=True):
        a, b, c, d = layer
        shape = patterns.n_out(layer), patterns.n_in(layer)
        # The coordinates of each block: its outputs (a * d, b), its inputs (a * d, c).
        coordinates = (
            np.arange(size).reshape(a, count, d).swapaxes(1, 2).reshape(a * d, count)
            for size, count in zip(shape, (b, c), strict=True)
        )
        outputs, inputs = coordinates
        rows = np.broadcast_to(outputs[:, :, np.newaxis], (a * d, b, c)).ravel()
        columns = np.broadcast_to(inputs[:, np.newaxis], (a * d, b, c)).ravel()
        layers.insert(0, csr_array((blocks.ravel(), (rows, columns)), shape=shape))
    layers = layers or [csr_array(eye_array(plan.sizes[0], dtype=weights.dtype))]
    if plan.outputs is not None:
        layers[0] = layers[0][plan.outputs]
    if plan.inputs is not None:
        layers[-1] = layers[-1][:, plan.inputs]
    return layers
