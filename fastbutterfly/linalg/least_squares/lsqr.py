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
    phi_bar, rho_bar, steps = beta * (alpha > 0), alpha, Steps(enough, max_iter)
    while not steps.ended:
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
        steps.add(change, np.abs(phi_bar), lengths(Z))
    return N(Z), steps.count, steps.converged


class Steps:
    """Iterations: whether they have converged, or no longer get anywhere.

    Twice in a row they must be short enough: a single short one may be an accident.
    Where they no longer become shorter they are rounding errors, or R is no good
    preconditioner.
    """

    def __init__(self, enough, most):
        self.enough, self.most, self.count = enough, most, 0
        self.converged = self.ended = False
        self._calm, self._shortest, self._found_at = 0, np.inf, 0

    def add(self, change, missed, length):
        """Count one, given what `enough` of `lsqr` takes."""
        done = np.all(self.enough(change, missed, length))
        self.count, self._calm = self.count + 1, self._calm + 1 if done else 0
        longest = change.max(initial=0)
        if longest < self._shortest / 2:
            self._shortest, self._found_at = longest, self.count
        stalled = self.count - self._found_at > STALLED
        self.converged = self._calm == 2
        self.ended = self.converged or stalled or self.count == self.most


def norms(columns):
    """Euclidean norms of columns, also where squares overflow or underflow."""
    largest = np.abs(columns).max(axis=0, initial=0)
    return lengths(columns / _safe(largest)) * largest


def lengths(columns):
    """Euclidean norms of columns, as they are."""
    return np.sqrt(np.einsum("ij,ij->j", columns.conj(), columns).real)


def _safe(numbers):
    """1 instead of 0, for divisions of what is zero then."""
    return np.where(numbers == 0, 1, numbers)
