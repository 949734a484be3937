"""Iterative sketching with damping and momentum, for many right-hand sides at once.

Epperly (2024), on the preconditioned normal equations as in FOSSILS (Epperly, Meier and
Nakatsukasa, 2024), with the parameters for a sketch of l rows whose distortion is
sqrt(n / l), made a tenth larger for safety.
"""

import numpy as np

from .column_norms import norms
from .stopping import Correction, StoppingRule

SAFETY = 1.1
MAX_DISTORTION = 0.95  # at 1 the damping would be 0, and nothing would move


def momentum(system, R, is_small, max_iter, distortion):
    """Minimise |A N z - r| for each column r of R, and return N z.

    Parameters
    ----------
    system, R, is_small, max_iter
        As for `lsqr`.
    distortion : float
        Of the sketch that N was made from; 0 if it kept A as it is.

    Returns
    -------
    Correction

    Notes
    -----
    z <- z + d with d <- beta d + (1 - beta)^2 N^H A^H (r - A N z); sqrt(beta) is the
    distortion.
    """
    beta = min(SAFETY * distortion, MAX_DISTORTION) ** 2
    damping = (1 - beta) ** 2
    right_norms = norms(R)
    gradient = system.precondition_adjoint(system.matrix.apply_adjoint(R))
    Z, step = gradient.copy(), np.zeros_like(gradient)
    rule = StoppingRule(is_small, max_iter)
    while not rule.ended:
        # Overwrites R, which is no longer needed, with A N z.
        T = system.matrix.update(system.precondition(Z), R, 0.0)
        step *= beta
        step += damping * (gradient - system.precondition_adjoint(T))
        # A N z is nearly orthogonal to the residual, so that Pythagoras gives its norm.
        residual = np.sqrt(np.maximum(right_norms**2 - norms(R) ** 2, 0))
        Z += step
        rule.update(norms(step), residual, norms(Z))
    return Correction(system.precondition(Z), rule.iterations, rule.converged)
