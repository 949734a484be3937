"""Triangle: R of a sketch as preconditioner, or its singular values."""

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import get_lapack_funcs

POWER = 8  # rounds of the power iteration for the norm


class Triangle:
    """Upper triangular R (n, n), by which A is preconditioned."""

    def __init__(self, R, least):
        self.R, self.rank, self._N = R, len(R), None
        diagonal = np.abs(np.diagonal(R))
        trcon = get_lapack_funcs("trcon", (R,))
        reciprocal = trcon(R)[0] if diagonal.all() else 0.0
        self.norm = _norm(R)
        if reciprocal > 10 * least:
            self.condition = float(1 / reciprocal)
            return
        U, s, Vt = np.linalg.svd(R)
        self.rank = int((s > least * s[0]).sum()) if s[0] else 0
        keep = slice(self.rank)
        self._U, self._N = U[:, keep], Vt[keep].conj().T / s[keep]
        self.condition = float(s[0] / s[self.rank - 1]) if self.rank else 1.0

    def solve(self, y):
        """The shortest least-squares solution of R x = y."""
        return self.times(y if self._N is None else self._U.conj().T @ y)

    def times(self, z):
        """N z, with N the inverse of R, or V / s if R = U diag(s) V^H is singular."""
        if self._N is not None:
            return self._N @ z
        return scipy.linalg.solve_triangular(self.R, z, check_finite=False)

    def adjoint(self, x):
        """N^H x."""
        if self._N is not None:
            return self._N.conj().T @ x
        return scipy.linalg.solve_triangular(self.R, x, trans="C", check_finite=False)


def _norm(R):
    """Largest singular value, nearly."""
    v = np.random.default_rng(0).standard_normal(len(R)).astype(R.dtype)
    size = 0.0
    for _ in range(POWER):
        length = np.linalg.norm(v)
        if not length:
            return 0.0
        v = R @ (v / length)
        size = float(np.linalg.norm(v))
        v = R.conj().T @ (v / (size or 1))  # R^H R v might overflow
    return size
