"""Problem: a least-squares problem and the accuracy that is asked for."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Relative to the largest singular value, in units of eps, rounding turns zeros into
# singular values of up to this size: by the sketch, and by gelsd's divide and conquer
# (up to 32 were seen). Those of a matrix of condition 1e14 are 45 eps and must count.
RCOND, RCOND_LAPACK = 20.0, 40.0


@dataclass(frozen=True)
class Problem:
    """Minimise |A x - b|^2 + ridge |x|^2 for each column b.

    Attributes
    ----------
    A : array, CSR array or LinearOperator, shape (m, n)
    b : array, shape (m, p)
        Its dtype is that of the arithmetic.
    sqrt_ridge : float
    tol : float
        Relative accuracy at which the iteration ends.
    rcond, rcond_lapack : float
        Singular values up to this times the largest count as zero.
    """

    A: Any
    b: NDArray
    sqrt_ridge: float
    tol: float
    rcond: float
    rcond_lapack: float

    @classmethod
    def create(cls, A, b, *, ridge, tol, rcond):
        """The problem with defaults in place of `tol` and `rcond` that are None."""
        eps = float(np.finfo(b.dtype).eps)
        defaults = RCOND * eps, RCOND_LAPACK * eps
        limits = defaults if rcond is None else (rcond, rcond)
        return cls(A, b, ridge**0.5, max(tol or 0.0, eps), *limits)

    @property
    def shape(self):
        """(m, n)."""
        return self.A.shape

    @property
    def dtype(self):
        """The dtype of the arithmetic."""
        return self.b.dtype

    def with_blas_layout(self):
        """The same problem, with A copied if BLAS would copy it for each product."""
        if isinstance(self.A, np.ndarray) and self.A.itemsize not in self.A.strides:
            return replace(self, A=np.ascontiguousarray(self.A))
        return self
