"""Range: an orthonormal basis of the directions in which a matrix is large."""

from functools import cached_property

import numpy as np

from ..._base.arguments import common_dtype, is_sparse
from ..arguments import check_finite_values
from ..cholesky import triangle

PROBES = 10  # random products of an error estimate
FIRST = 16  # directions that are drawn at first for a tolerance
CANCELLED = 1e-6  # of |A|^2: what a difference must leave to be an estimate


class Range:
    """Q (m, r) with orthonormal columns, and B = Q^H A (r, n)."""

    def __init__(self, A, power, rng, symmetric=False):
        self.A, self.power, self.rng, self.symmetric = A, power, rng, symmetric
        self.dtype = common_dtype(np.float32, np.empty(0, A.dtype or np.float64))
        m, n = A.shape
        self.Q, self.B = np.empty((m, 0), self.dtype), np.empty((0, n), self.dtype)

    def grow(self, count):
        """Have so many directions."""
        more = count - self.Q.shape[1]
        Y = self.A @ self.normal((self.A.shape[1], more))
        for _ in range(self.power):
            Y = self.A @ _basis(self._adjoint(_basis(self._outside(Y))))
        Q = _orthonormal(self._outside(Y))
        if self.Q.size:  # twice is enough for orthogonality to rounding
            Q = _orthonormal(self._outside(Q))
        self.Q = np.hstack([self.Q, Q])
        self.B = np.vstack([self.B, self._adjoint(Q).conj().T])

    def until(self, tol):
        """Grow until the relative error is tol; return the least rank with that."""
        tol = max(tol, float(np.finfo(self.dtype).eps) ** 0.5)
        most = min(self.A.shape)
        count, seen = min(FIRST, most), self._seen()
        while True:
            self.grow(count)
            s = np.linalg.svd(self.B, compute_uv=False)
            squares, rest = self._shares(s, seen)
            if rest <= tol**2 or count == most:
                break
            count = min(2 * count, most)
        # What the first k leave: the rest, and the squares behind them.
        left = rest + np.append(np.cumsum(squares[::-1])[::-1], 0.0)
        return max(int(np.argmax(left <= max(tol**2, left[-1]))), 1)

    def error(self, U, s, Vt):
        """Estimate of |A - U diag(s) Vt|, which is orthogonal to what is subtracted."""
        if not hasattr(self.A, "rmatmat"):
            whole = self.size
            left = 1 - float(np.square(s / (whole or 1)).sum())
            if whole and left > CANCELLED:
                return whole * left**0.5
        return self.probed(U, s, Vt)

    def probed(self, U, s, Vt):
        """Estimate of |A - U diag(s) Vt| in the Frobenius norm, by random products."""
        G = self.normal((self.A.shape[1], PROBES))
        missed = self.A @ G - (U * s) @ (Vt @ G)
        return frobenius(missed) / PROBES**0.5

    def _seen(self):
        """|A|, or of an operator random products, by which the rest is estimated."""
        if hasattr(self.A, "rmatmat"):
            return self.A @ self.normal((self.A.shape[1], PROBES))
        return self.size

    def _shares(self, s, seen):
        """Squares of s, and of what Q leaves, in parts of |A|^2."""
        if hasattr(self.A, "rmatmat"):
            # Not as a difference from an estimate of |A|: that errs by much more.
            missing = frobenius(self._outside(seen)) / PROBES**0.5
            whole = np.hypot(frobenius(s), missing) or 1.0
            return np.square(s / whole), (missing / whole) ** 2
        squares = np.square(s / (seen or 1.0))
        return squares, max(1 - squares.sum(), 0.0) if seen else 0.0

    @cached_property
    def size(self):
        """|A|, of a matrix."""
        return frobenius(self._values())

    def check_finite(self, name):
        """Raise if a matrix has NaN or infinities, which |A| shows."""
        if hasattr(self.A, "rmatmat"):
            return
        with np.errstate(invalid="ignore"):
            if not np.isfinite(self.size):
                check_finite_values(name, self._values())

    def _values(self):
        return self.A.data if is_sparse(self.A) else self.A

    def _outside(self, Y):
        """Y without its part in the range of Q."""
        return Y - self.Q @ (self.Q.conj().T @ Y) if self.Q.size else Y

    def _adjoint(self, Y):
        if self.symmetric:
            return self.A @ Y
        if hasattr(self.A, "rmatmat"):
            return self.A.rmatmat(Y)
        return (Y.conj().T @ self.A).conj().T

    def normal(self, shape):
        """Random normal numbers of the dtype."""
        found = self.rng.standard_normal(shape)
        return found.astype(self.dtype)


def frobenius(values):
    """Frobenius norm, also where squares overflow or underflow."""
    with np.errstate(over="ignore"):
        size = float(np.linalg.norm(values))
    limits = np.finfo(values.dtype)
    if float(limits.tiny) ** 0.4 < size < float(limits.max) ** 0.4:
        return size
    largest = float(np.abs(values).max(initial=0))
    return largest * float(np.linalg.norm(values / largest)) if largest else 0.0


def _orthonormal(Y):
    """Orthonormal columns with the same range: Cholesky's way, twice."""
    return _basis(_basis(Y))


def _basis(Y):
    """The same with an error of a hundredth at most, which is enough on the way.

    By Cholesky (Yamamoto et al., 2015), in a sixth of QR's time; by QR if Y is nearly
    rank-deficient or its squares over- or underflow.
    """
    R = triangle(Y)
    return np.linalg.qr(Y)[0] if R is None else Y @ np.linalg.inv(R)
