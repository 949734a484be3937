"""solve and lu_rbt: LU without pivoting, after random butterfly transforms (RBT)."""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_numbers, as_size, common_dtype
from ...nn.arguments import as_flag
from ..arguments import as_operator, check_finite_values
from .blocked_lu import factor_in_place, inverse_norm, lower_solve, upper_solve
from .random_layers import apply_left_transposed, apply_right, random_layer, transform

DEPTH = 2  # layers of a butterfly; two are enough in practice
MAX_REFINEMENTS = 10
BLOCK_ROWS = 256  # of |A| at a time, in place of a copy of A


@dataclass(frozen=True)
class Solution:
    """The solution of a linear system, as `solve` returns it.

    Attributes
    ----------
    x : array, shape (n,) or (n, p)
    backward_error : float
        Largest |A x - b| / (|A| |x| + |b|) of the columns, in the maximum norm.
    refinements : int
        Steps of iterative refinement.
    method : {"rbt", "lapack"}
        "lapack": refinement did not converge, and gesv was called instead.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    x: NDArray
    backward_error: float
    refinements: int
    method: str


class LU:
    """Factors of U^T A V for random butterflies U and V, as `lu_rbt` returns them.

    Attributes
    ----------
    shape : (int, int)
    dtype : dtype
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    def __init__(self, A, depth, rng):
        self.A, self.shape, self.dtype = A, A.shape, A.dtype
        n, levels = len(A), range(depth)
        self._layers = [random_layer(n, level, A.dtype, rng) for level in levels]
        self._factors = np.array(A, order="C")
        self._norm = _infinity_norm(self._factors)
        transform(self._factors, self._layers)
        with np.errstate(all="ignore"):
            factor_in_place(self._factors)
            # U and V are nearly orthogonal, so that this is nearly that of A.
            condition = np.float64(self._norm * inverse_norm(self._factors))
            self._reciprocal_condition = 1 / condition

    def solve(self, b: ArrayLike, *, check_finite: bool = True) -> Solution:
        """Solve A x = b.

        Parameters
        ----------
        b : array, shape (n,) or (n, p)
        check_finite : bool
            Whether to look for NaN and infinities.

        Returns
        -------
        Solution

        Raises
        ------
        ValueError, TypeError
            If b is not as described.
        numpy.linalg.LinAlgError
            If A is exactly singular, as LAPACK sees it.

        Warns
        -----
        scipy.linalg.LinAlgWarning
            If A is singular to working precision, according to an estimate; and if
            refinement does not converge: then LAPACK's gesv has solved the system, with
            pivoting.
        """
        return self._solve(b, as_flag("check_finite", check_finite))

    def _solve(self, b, check_finite):
        """As `solve`; warnings name the caller of the caller."""
        b = as_numbers("b", b)
        if b.ndim not in (1, 2) or len(b) != len(self.A):
            raise ValueError(
                f"b must have shape ({len(self.A)},) or ({len(self.A)}, p), "
                f"got {b.shape}"
            )
        if check_finite:
            check_finite_values("b", b)
        dtype = common_dtype(self.dtype, b)
        right = b.reshape(len(b), b.shape[1] if b.ndim == 2 else 1).astype(dtype)
        A = self.A.astype(dtype, copy=False)
        with np.errstate(all="ignore"):
            try:
                x, error, count = self._refine(A, right)
            except np.linalg.LinAlgError:  # a pivot is zero
                x, error, count = right, np.inf, 0
        method, trouble = "rbt", None
        if not error <= self._max_backward_error(dtype):
            x = scipy.linalg.solve(A, right, check_finite=False)
            trouble = f"refinement did not converge, backward error {error:.2g}: "
            trouble += "solved by LAPACK, with pivoting"
            error, method = self._backward_error(x, right - A @ x, right), "lapack"
        elif self._reciprocal_condition < np.finfo(self.dtype).eps:
            trouble = "A is singular to working precision, with 1 / its condition "
            trouble += f"number about {self._reciprocal_condition:.2g}: "
            trouble += "x may not be accurate"
        if trouble:
            warnings.warn(trouble, scipy.linalg.LinAlgWarning, stacklevel=3)
        return Solution(x.reshape(b.shape), error, count, method)

    def _max_backward_error(self, dtype):
        """The largest that counts as solved: rounding errors grow as sqrt(n)."""
        return 4 * len(self.A) ** 0.5 * np.finfo(dtype).eps

    def _backward_error(self, x, residual, b):
        """Largest |b - A x| / (|A| |x| + |b|) of the columns, in the maximum norm."""
        if not residual.size:
            return 0.0
        scales = self._norm * np.abs(x).max(axis=0) + np.abs(b).max(axis=0)
        residuals = np.abs(residual).max(axis=0)
        error = float((residuals / np.where(residuals == 0, 1, scales)).max())
        return error if np.isfinite(error) else np.inf

    def _refine(self, A, b):
        """Iterative refinement until the backward error no longer halves.

        Returns
        -------
        x : array, shape (n, p)
        error : float
            Its backward error.
        steps : int
        """
        best = x = self._apply_inverse(b)
        best_error, steps, eps = np.inf, 0, np.finfo(b.dtype).eps
        while True:
            residual = b - A @ x
            error = self._backward_error(x, residual, b)
            if not error < best_error / 2:
                return best, best_error, steps
            best, best_error = x, error
            if error <= eps or steps == MAX_REFINEMENTS:
                return best, best_error, steps
            x, steps = x + self._apply_inverse(residual), steps + 1

    def _apply_inverse(self, b):
        """A^-1 b by the factors, V (L U)^-1 U^T b."""
        y = np.array(b, order="C")
        apply_left_transposed(y, self._layers)
        y = upper_solve(self._factors, lower_solve(self._factors, y))
        y = np.ascontiguousarray(y)
        apply_right(y, self._layers)
        return y


def lu_rbt(
    A: ArrayLike,
    *,
    depth: int = DEPTH,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> LU:
    """Factor a square matrix for many right-hand sides, without pivoting.

    Parameters
    ----------
    A : array, shape (n, n)
        Real or complex, any n.
    depth : int
        Layers of each random butterfly; reduced to log2(n), rounded down, if above.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the butterflies.

    Returns
    -------
    LU
        With a method ``solve(b)``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    For butterflies U and V of log2(n) random layers no leading block of U^T A V is
    singular, with probability 1 (Parker, 1995). For dense matrices two layers are
    almost always enough (Baboulin, Dongarra, Herrmann and Tomov, 2013); permutations
    and other matrices that are mostly zero need more. A layer on n coordinates pairs i
    with i + ceil(n / 2); that works for any n (Lindquist, Luszczek and Dongarra, 2023,
    arXiv 2312.09376). Refinement regains the stability that is lost without pivoting;
    for it A is kept, without a copy.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.array([[0.0, 2.0], [1.0, 0.0]])  # needs pivoting
    >>> linalg.lu_rbt(A, rng=0).solve([2.0, 3.0]).x.round(12)
    array([3., 1.])
    """
    A = _as_square(A, as_flag("check_finite", check_finite))
    depth, rng = as_size("depth", depth, least=0), as_generator(rng)
    return LU(A, min(depth, max(len(A).bit_length() - 1, 0)), rng)


def solve(
    A: ArrayLike,
    b: ArrayLike,
    *,
    depth: int = DEPTH,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> Solution:
    """Solve A x = b without pivoting, after random butterflies from both sides.

    Parameters
    ----------
    A, depth, check_finite, rng
        As for `lu_rbt`; reuse its factors for further right-hand sides.
    b : array, shape (n,) or (n, p)

    Returns
    -------
    Solution
        With ``.x`` and its backward error.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If A is singular, and LAPACK finds out.

    Warns
    -----
    scipy.linalg.LinAlgWarning
        As `LU.solve` does.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((99, 99))
    >>> result = linalg.solve(A, A @ np.arange(99.0), rng=0)
    >>> bool(np.allclose(result.x, np.arange(99.0))), result.method
    (True, 'rbt')
    """
    options = {"depth": depth, "check_finite": check_finite, "rng": rng}
    return lu_rbt(A, **options)._solve(b, check_finite)


def _as_square(A, check_finite):
    A = as_operator("A", A, check_finite)
    if not isinstance(A, np.ndarray) or A.shape[0] != A.shape[1]:
        raise ValueError(
            f"A must be a dense square matrix, got {type(A).__name__} of shape "
            f"{A.shape}; for sparse ones see scipy.sparse.linalg"
        )
    return A


def _infinity_norm(A):
    """The matrix norm that the maximum norm induces: the largest sum |a| of a row."""
    blocks = (A[i : i + BLOCK_ROWS] for i in range(0, len(A), BLOCK_ROWS))
    sums = (float(np.abs(block).sum(axis=1).max()) for block in blocks)
    return max(sums, default=0.0)
