"""Layers as sparse matrices."""

import numpy as np


def sparse_factors(plan, weights):
    """The layers as scipy.sparse.csr_array, the one applied last first."""
    from scipy.sparse import csr_array, eye_array  # slow to import

    n = plan.n
    layers = []
    for s, blocks in zip(plan.strides, weights, strict=True):
        first = np.arange(n).reshape(-1, 2, s)[:, 0].ravel()
        rows = np.stack([first, first, first + s, first + s], axis=1)
        columns = np.stack([first, first + s, first, first + s], axis=1)
        entries = blocks.ravel(), (rows.ravel(), columns.ravel())
        layers.insert(0, csr_array(entries, shape=(n, n)))
    layers = layers or [csr_array(eye_array(n, dtype=weights.dtype))]
    if plan.outputs is not None:
        layers[0] = layers[0][plan.outputs]
    if plan.inputs is not None:
        layers[-1] = layers[-1][:, plan.inputs]
    return layers
