"""Fit: the weights of butterflies whose sum maps given samples to given ones."""

import numpy as np
from scipy.optimize import minimize

from ..butterfly import Butterfly


class Terms:
    """Butterflies whose sum is M, or M = P^H P for their sum P."""

    def __init__(self, operators, squared):
        self.operators, self.squared = list(operators), squared
        self.dtype = np.result_type(np.float64, *(B.dtype for B in operators))

    def apply(self, X):
        """P x for each row x."""
        return sum(B.apply(X) for B in self.operators)

    def adjoint(self, X):
        """P^H x for each row x."""
        return sum(B.H.apply(X) for B in self.operators)

    def __call__(self, X):
        """M x for each row x."""
        return self.adjoint(self.apply(X)) if self.squared else self.apply(X)

    def gradient(self, X, R):
        """Of |M X - Z|^2 / 2 by the flat weights, given R = M X - Z."""
        if not self.squared:
            return self._of(X, R)
        # <R, P^H V> with V = P X is <P R, V>.
        return self._of(R, self.apply(X)) + self._of(X, self.apply(R))

    def _of(self, x, g):
        return np.concatenate([B.vjp(x, g)[1].ravel() for B in self.operators])

    @property
    def weights(self):
        """All numbers, real ones, in one array."""
        flat = [np.ravel(B.weights).astype(self.dtype) for B in self.operators]
        return np.concatenate(flat).view(np.float64)

    def with_weights(self, flat):
        """The same with other numbers."""
        flat, found, start = np.ascontiguousarray(flat).view(self.dtype), [], 0
        for B in self.operators:
            stop = start + B.weights.size
            weights = flat[start:stop].reshape(B.weights.shape)
            found.append(Butterfly._of(weights, B.plan))
            start = stop
        return Terms(found, self.squared)


def fitted(terms, X, Z, max_iter):
    """Terms after L-BFGS steps that lower |M X - Z|^2, for rows X and Z."""
    scale = 1 / np.linalg.norm(Z) ** 2

    def evaluate(weights):
        now = terms.with_weights(weights)
        R = now(X) - Z
        gradient = np.ascontiguousarray(now.gradient(X, R), terms.dtype)
        value = 0.5 * scale * np.linalg.norm(R) ** 2
        return value, scale * gradient.view(np.float64)

    limits = {"maxiter": max_iter, "maxfun": 2**31 - 1, "ftol": 1e-12, "gtol": 0.0}
    options = {"jac": True, "method": "L-BFGS-B", "options": limits}
    return terms.with_weights(minimize(evaluate, terms.weights, **options).x)
