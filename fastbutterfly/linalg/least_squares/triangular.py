"""TriangularPreconditioner: the inverse of R of a sketch, or its pseudo-inverse."""

import numpy as np
import scipy.linalg
from scipy.linalg.lapack import get_lapack_funcs

POWER = 8  # rounds of the power iteration for the norm
# Above rcond by this factor, the reciprocal condition number that LAPACK estimates, in
# the 1-norm, shows full rank without computing singular values.
ESTIMATE_MARGIN = 10


class TriangularPreconditioner:
    """N = R^-1 for upper triangular R (n, n), so that A N is well conditioned.

    If R = U diag(s) V^H is rank-deficient, N = V / s for the singular values that
    count, as in LSRN.

    Attributes
    ----------
    rank : int
    norm : float
        Estimate of the largest singular value of R.
    condition : float
        Of R, among the singular values that count; an estimate if all do.
    """

    def __init__(self, R, rcond):
        self.R, self.rank, self._pseudo_inverse = R, len(R), None
        diagonal = np.abs(np.diagonal(R))
        trcon = get_lapack_funcs("trcon", (R,))
        reciprocal = trcon(R)[0] if diagonal.all() else 0.0
        self.norm = _norm(R)
        if reciprocal > ESTIMATE_MARGIN * rcond:
            self.condition = float(1 / reciprocal)
            return
        U, s, Vt = np.linalg.svd(R)
        self.rank = int((s > rcond * s[0]).sum()) if s[0] else 0
        keep = slice(self.rank)
        self._U, self._pseudo_inverse = U[:, keep], Vt[keep].conj().T / s[keep]
        self.condition = float(s[0] / s[self.rank - 1]) if self.rank else 1.0

    def solve(self, y):
        """The minimum-norm least-squares solution of R x = y."""
        return self.apply(y if self._pseudo_inverse is None else self._U.conj().T @ y)

    def apply(self, z):
        """N z."""
        if self._pseudo_inverse is not None:
            return self._pseudo_inverse @ z
        return scipy.linalg.solve_triangular(self.R, z, check_finite=False)

    def apply_adjoint(self, x):
        """N^H x."""
        if self._pseudo_inverse is not None:
            return self._pseudo_inverse.conj().T @ x
        return scipy.linalg.solve_triangular(self.R, x, trans="C", check_finite=False)


def _norm(R):
    """Largest singular value, from below, by power iteration."""
    v = np.random.default_rng(0).standard_normal(len(R)).astype(R.dtype)
    estimate = 0.0
    for _ in range(POWER):
        v_norm = np.linalg.norm(v)
        if not v_norm:
            return 0.0
        v = R @ (v / v_norm)
        estimate = float(np.linalg.norm(v))
        v = R.conj().T @ (v / (estimate or 1))  # R^H R v might overflow
    return estimate
