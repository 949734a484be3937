"""Refinement of a factorisation by L-BFGS on all weights at once."""

import math

import numpy as np

from .._plans import patterns
from ..operators import Butterfly
from . import splitting


def refined(layers, chain, node, steps):
    """Layers after at most `steps` of L-BFGS on |node - product of the layers|^2.

    All layers are first scaled to one norm, which leaves the product as it is: L-BFGS
    begins with steepest descent, where layers of small norm would dominate.
    """
    from scipy.optimize import minimize  # slow to import

    norms = [np.linalg.norm(layer) for layer in layers]
    if not min(norms):
        return layers
    mean = math.exp(np.mean(np.log(norms)))
    start = np.concatenate(
        [
            layer.ravel() * (mean / norm)
            for layer, norm in zip(layers, norms, strict=True)
        ]
    )
    a, b, c, d = splitting.product(chain)
    eye = np.eye(a * c * d)
    rows = np.zeros((a, c, d, a, b, d), node.dtype)
    np.einsum("acdabd->adbc", rows)[...] = node.reshape(a, d, b, c)
    rows = rows.reshape(a * c * d, a * b * d)

    def loss(flat):
        flat = flat.view(start.dtype)
        B = Butterfly.from_blocks(patterns.views(flat, chain), chain)
        distance = B.apply(eye) - rows
        gradient = B.vjp(eye, distance)[1].ravel()
        return np.vdot(distance, distance).real / 2, gradient.view(np.float64)

    options = {"maxiter": steps}
    result = minimize(
        loss, start.view(np.float64), jac=True, method="L-BFGS-B", options=options
    )
    return patterns.views(result.x.view(start.dtype), chain)
