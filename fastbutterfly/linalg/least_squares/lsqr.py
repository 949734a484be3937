"""LSQR for many right-hand sides at once, preconditioned from the right.

Paige and Saunders (1982), each column with its own scalars. A is read once an
iteration: A^H u needs the norm of u only as a factor, which is divided out afterwards.
"""

import numpy as np

from .column_norms import nonzero, norms
from .stopping import Correction, StoppingRule


def lsqr(system, R, is_small, max_iter, distortion=None):
    """Minimise |A N z - r| for each column r of R, and return N z.

    Parameters
    ----------
    system : TallSystem or WideSystem
        With the products of A and of its preconditioner N.
    R : array, shape (m, p)
        Overwritten.
    is_small : callable
        See `StoppingRule`.
    max_iter : int
    distortion : float
        Not used here.

    Returns
    -------
    Correction

    Notes
    -----
    1. Bidiagonalise A N, from u = r / |r|: beta u <- A N v - alpha u, then
       alpha v <- N^H A^H u - beta v.
    2. Eliminate the subdiagonal beta by a Givens rotation (c, s).
    3. Move z along w, and make the next w of v.

    A N is well conditioned, with singular values near 1, so that z converges linearly
    and its changes tell the error.
    """
    beta = norms(R)
    U = R
    U /= nonzero(beta)
    V = system.precondition_adjoint(system.matrix.apply_adjoint(U))
    alpha = norms(V)
    V /= nonzero(alpha)
    W, Z = V.copy(), np.zeros_like(V)
    phi_bar, rho_bar = beta * (alpha > 0), alpha
    rule = StoppingRule(is_small, max_iter)
    while not rule.ended:
        T = system.matrix.update(system.precondition(V), U, alpha)
        beta = norms(U)
        U /= nonzero(beta)
        V *= -beta
        V += system.precondition_adjoint(T / nonzero(beta))
        alpha = norms(V) * (beta > 0)
        V /= nonzero(alpha)
        rho = np.hypot(rho_bar, beta)
        c, s = rho_bar / nonzero(rho), beta / nonzero(rho)
        theta, rho_bar = s * alpha, -c * alpha
        phi, phi_bar = c * phi_bar, s * phi_bar
        step = phi / nonzero(rho)
        change = np.abs(step) * norms(W)
        Z += step * W
        W *= -theta / nonzero(rho)
        W += V
        rule.update(change, np.abs(phi_bar), norms(Z))
    return Correction(system.precondition(Z), rule.iterations, rule.converged)
