"""LSQR for many right-hand sides at once, with a preconditioner from the right.

Paige and Saunders (1982), each column with scalars of its own; A is read once an
iteration, since A^H u needs the norm of u as a factor only.
"""

import numpy as np

STALLED = 30  # iterations in which a step should have become shorter than half


def lsqr(matrix, right, R, enough, max_iter, ratio=None):
    """Minimise |A N z - r| for each column r of R.

    Return N z, the iterations, and whether they converged.

    Parameters
    ----------
    matrix : Matrix
    right : pair of callables
        N and N^H, of arrays with so many columns.
    R : array, shape (m, p)
        Overwritten.
    enough : callable
        (length of the last change of z, of the residual, of z), each an array (p,) ->
        array of bool: which columns have converged.
    max_iter : int
    ratio : float
        Not used here.

    Notes
    -----
    A N is well conditioned, with singular values near 1, so that z converges
    linearly and its changes tell the error.
    """
    N, N_adjoint = right
    beta = lengths(R)
    U = R
    U /= _safe(beta)
    V = N_adjoint(matrix.adjoint(U))
    alpha = lengths(V)
    V /= _safe(alpha)
    W, Z = V.copy(), np.zeros_like(V)
    phi_bar, rho_bar, calm, iteration = beta * (alpha > 0), alpha, 0, 0
    shortest, found_at = np.inf, 0
    for iteration in range(1, max_iter + 1):
        T = matrix.both(N(V), U, alpha)
        beta = lengths(U)
        U /= _safe(beta)
        V *= -beta
        V += N_adjoint(T / _safe(beta))
        alpha = lengths(V) * (beta > 0)
        V /= _safe(alpha)
        rho = np.hypot(rho_bar, beta)
        c, s = rho_bar / _safe(rho), beta / _safe(rho)
        theta, rho_bar = s * alpha, -c * alpha
        phi, phi_bar = c * phi_bar, s * phi_bar
        step = phi / _safe(rho)
        change = np.abs(step) * lengths(W)
        Z += step * W
        W *= -theta / _safe(rho)
        W += V
        # Twice in a row: a single short step may be an accident. Where steps no longer
        # become shorter they are rounding errors, or R is no good preconditioner.
        calm = calm + 1 if np.all(enough(change, np.abs(phi_bar), lengths(Z))) else 0
        if change.max(initial=0) < shortest / 2:
            shortest, found_at = change.max(initial=0), iteration
        if calm == 2 or iteration - found_at > STALLED:
            break
    return N(Z), iteration, calm == 2


def norms(columns):
    """Euclidean norms of columns, also where squares overflow or underflow."""
    largest = np.abs(columns).max(axis=0, initial=0)
    return lengths(columns / _safe(largest)) * largest


def lengths(columns):
    return np.sqrt(np.einsum("ij,ij->j", columns.conj(), columns).real)


def _safe(numbers):
    """1 instead of 0, for divisions of what is zero then."""
    return np.where(numbers == 0, 1, numbers)
