"""Iterative sketching with damping and momentum, for many right-hand sides at once.

Epperly (2024), on the preconditioned normal equations as in FOSSILS (Epperly, Meier and
Nakatsukasa, 2024), with the parameters for a sketch whose distortion is root(n / l),
made a tenth larger for safety.
"""

import numpy as np

from .lsqr import Steps, lengths

SAFETY = 1.1


def momentum(matrix, right, R, enough, max_iter, ratio):
    """Do as `lsqr`; `ratio`: unknowns for each row of the sketch, 0 if that is A."""
    N, N_adjoint = right
    beta = min(SAFETY * ratio**0.5, 0.95) ** 2
    damping = (1 - beta) ** 2
    whole = lengths(R)
    c = N_adjoint(matrix.adjoint(R))
    Z, step, steps = c.copy(), np.zeros_like(c), Steps(enough, max_iter)
    while not steps.ended:
        T = matrix.both(N(Z), R, 0.0)  # overwrites R with A N z
        step *= beta
        step += damping * (c - N_adjoint(T))
        # A N z is nearly orthogonal to what is left of r.
        missed = np.sqrt(np.maximum(whole**2 - lengths(R) ** 2, 0))
        Z += step
        steps.add(lengths(step), missed, lengths(Z))
    return N(Z), steps.count, steps.converged
