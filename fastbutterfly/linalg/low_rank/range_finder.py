"""RangeFinder: an orthonormal basis of the dominant part of a matrix's range."""

from functools import cached_property

import numpy as np

from ..._base.arguments import common_dtype, is_sparse
from ..arguments import check_finite_values
from ..cholesky import cholesky_factor

PROBES = 10  # random products of an error estimate
INITIAL_DIRECTIONS = 16  # for a tolerance; then the number is doubled
# Relative to |A|^2, the smallest difference |A|^2 - |s|^2 that estimates an error: the
# rounding errors of both, eps or 1e-7 in single precision, must be smaller.
MIN_DIFFERENCE = 1e-6
SAFE_EXPONENT = 0.4  # numbers up to max^0.4 have sums of squares that do not overflow


class RangeFinder:
    """Q with orthonormal columns such that A is nearly Q Q^H A.

    Parameters
    ----------
    A : array, CSR array or LinearOperator, shape (m, n)
    power : int
        Rounds of the power iteration.
    rng : Generator
    symmetric : bool
        Whether A^H = A, so that products with A serve for its adjoint.

    Attributes
    ----------
    Q : array, shape (m, r)
        No columns at first.
    B : array, shape (r, n)
        Q^H A.

    Notes
    -----
    1. Multiply A by Gaussian vectors: Y = A G.
    2. Repeat `power` times: Y = A A^H Y, with an orthonormal basis of either.
    3. Append an orthonormal basis of Y, without its part in the range of Q, to Q.

    (Halko, Martinsson and Tropp, 2011, Algorithm 4.4.)
    """

    def __init__(self, A, power, rng, symmetric=False):
        self.A, self.power, self.rng, self.symmetric = A, power, rng, symmetric
        self.dtype = common_dtype(np.float32, np.empty(0, A.dtype or np.float64))
        self._is_operator = hasattr(A, "rmatmat")
        m, n = A.shape
        self.Q, self.B = np.empty((m, 0), self.dtype), np.empty((0, n), self.dtype)

    def grow(self, count):
        """Extend Q to `count` columns."""
        new = count - self.Q.shape[1]
        Y = self.A @ self.gaussian((self.A.shape[1], new))
        for _ in range(self.power):
            Y = self.A @ _basis(self._apply_adjoint(_basis(self._project_out(Y))))
        Q = _orthonormal(self._project_out(Y))
        if self.Q.size:  # twice is enough for orthogonality to rounding
            Q = _orthonormal(self._project_out(Q))
        self.Q = np.hstack([self.Q, Q])
        self.B = np.vstack([self.B, self._apply_adjoint(Q).conj().T])

    def grow_until(self, tol):
        """Extend Q until the relative error is tol; return the smallest rank for that.

        Smaller tolerances than sqrt(eps) are raised to it: the error is known as a
        difference of squares.
        """
        tol = max(tol, float(np.finfo(self.dtype).eps) ** 0.5)
        max_rank = min(self.A.shape)
        count, probed = min(INITIAL_DIRECTIONS, max_rank), self._probe()
        while True:
            self.grow(count)
            s = np.linalg.svd(self.B, compute_uv=False)
            squares, remainder = self._relative_squares(s, probed)
            if remainder <= tol**2 or count == max_rank:
                break
            count = min(2 * count, max_rank)
        # The squared error of rank k: the remainder, and the squares from s[k] on.
        errors = remainder + np.append(np.cumsum(squares[::-1])[::-1], 0.0)
        return max(int(np.argmax(errors <= max(tol**2, errors[-1]))), 1)

    def error(self, U, s, Vt):
        """|A - U diag(s) Vt| in the Frobenius norm, for a projection U diag(s) Vt of A.

        As the square root of |A|^2 - |s|^2 where that does not cancel.
        """
        if not self._is_operator:
            norm = self.frobenius_norm
            difference = 1 - float(np.square(s / (norm or 1)).sum())
            if norm and difference > MIN_DIFFERENCE:
                return norm * difference**0.5
        return self.estimate_error(U, s, Vt)

    def estimate_error(self, U, s, Vt):
        """|A - U diag(s) Vt| in the Frobenius norm, estimated by random products."""
        G = self.gaussian((self.A.shape[1], PROBES))
        missing = self.A @ G - (U * s) @ (Vt @ G)
        return frobenius_norm(missing) / PROBES**0.5

    @cached_property
    def frobenius_norm(self):
        """|A|, of a matrix."""
        return frobenius_norm(self._values())

    def check_finite(self, name):
        """Raise if a matrix has NaN or infinities, which |A| shows."""
        if self._is_operator:
            return
        with np.errstate(invalid="ignore"):
            if not np.isfinite(self.frobenius_norm):
                check_finite_values(name, self._values())

    def gaussian(self, shape):
        """Normally distributed real numbers, as an array of the dtype of A."""
        return self.rng.standard_normal(shape).astype(self.dtype)

    def _probe(self):
        """Random products with an operator, which estimate its error; else None."""
        if self._is_operator:
            return self.A @ self.gaussian((self.A.shape[1], PROBES))
        return None

    def _relative_squares(self, s, probed):
        """s^2 and |A - Q Q^H A|^2, both relative to |A|^2."""
        if self._is_operator:
            # Not as a difference from an estimate of |A|: that errs by much more.
            missing = frobenius_norm(self._project_out(probed)) / PROBES**0.5
            norm = np.hypot(frobenius_norm(s), missing) or 1.0
            return np.square(s / norm), (missing / norm) ** 2
        norm = self.frobenius_norm
        squares = np.square(s / (norm or 1.0))
        return squares, max(1 - squares.sum(), 0.0) if norm else 0.0

    def _values(self):
        return self.A.data if is_sparse(self.A) else self.A

    def _project_out(self, Y):
        """Y without its part in the range of Q."""
        return Y - self.Q @ (self.Q.conj().T @ Y) if self.Q.size else Y

    def _apply_adjoint(self, Y):
        """A^H Y."""
        if self.symmetric:
            return self.A @ Y
        if self._is_operator:
            return self.A.rmatmat(Y)
        return (Y.conj().T @ self.A).conj().T


def frobenius_norm(values):
    """Frobenius norm, also where squares overflow or underflow."""
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm(values))
    limits = np.finfo(values.dtype)
    if float(limits.tiny) ** SAFE_EXPONENT < norm < float(limits.max) ** SAFE_EXPONENT:
        return norm
    largest = float(np.abs(values).max(initial=0))
    return largest * float(np.linalg.norm(values / largest)) if largest else 0.0


def _orthonormal(Y):
    """Orthonormal columns with the range of Y: Cholesky QR, twice."""
    return _basis(_basis(Y))


def _basis(Y):
    """Columns with the range of Y that are orthonormal up to errors of a hundredth.

    That is enough between products. By Cholesky QR (Yamamoto et al., 2015), in a sixth
    of the time of QR; by QR if Y is nearly rank-deficient or its squares overflow or
    underflow.
    """
    R = cholesky_factor(Y)
    return np.linalg.qr(Y)[0] if R is None else Y @ np.linalg.inv(R)
