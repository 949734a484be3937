"""solve and lu_rbt: linear systems without pivoting, after random butterflies."""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_numbers, as_size, common_dtype
from ..._kernels.random_butterfly import back, columns, rows
from ...nn.arguments import as_flag
from ..arguments import as_operator, check_finite_values
from .blocked_lu import inverse_size, lower_solve, lu, upper_solve

DEPTH = 2  # layers of a butterfly; two are enough in practice
REFINEMENTS = 10
SPREAD = 20  # the random numbers are exp(r / SPREAD), r from -1 to 1


@dataclass(frozen=True)
class Solution:
    """What `solve` found.

    Attributes
    ----------
    x : array, shape (n,) or (n, p)
    backward_error : float
        Largest of |A x - b| / (|A| |x| + |b|) over the columns, in the maximum norm.
    refinements : int
        Steps of iterative refinement.
    method : {"rbt", "lapack"}
        "lapack": refinement did not converge, and gesv was called instead.
    """

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

    def __init__(self, A, depth, rng):
        self.A, self.shape, self.dtype = A, A.shape, A.dtype
        self._layers = [_layer(len(A), level, A.dtype, rng) for level in range(depth)]
        self._factors = np.array(A, order="C")
        self._size = _row_sum(self._factors)
        n, flat = len(A), self._factors.reshape(-1)
        for (u, v), segments in self._layers:
            for start, size in segments:
                rows(flat, start, size, u, n)
                columns(flat, start, size, v, n)
        with np.errstate(all="ignore"):
            lu(self._factors)
            # Of the condition number, nearly, in the maximum norm.
            self._reciprocal = 1 / np.float64(self._size * inverse_size(self._factors))

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
            If A is singular, and LAPACK finds out.

        Warns
        -----
        scipy.linalg.LinAlgWarning
            If A is singular to working precision, as far as an estimate tells; and if
            refinement does not converge: LAPACK's gesv has then solved it, with
            pivoting.
        """
        return self._solved(b, as_flag("check_finite", check_finite))

    def _solved(self, b, check_finite):
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
                x, error, count = self._refined(A, right)
            except np.linalg.LinAlgError:  # a pivot is zero
                x, error, count = right, np.inf, 0
        method, trouble = "rbt", None
        if not error <= self._limit(dtype):
            x = scipy.linalg.solve(A, right, check_finite=False)
            trouble = f"refinement did not converge, backward error {error:.2g}: "
            trouble += "solved by LAPACK, with pivoting"
            error, method = self._error(x, right - A @ x, right), "lapack"
        elif self._reciprocal < np.finfo(self.dtype).eps:
            trouble = "A is singular to working precision, with 1 / its condition "
            trouble += f"number about {self._reciprocal:.2g}: x may not be accurate"
        if trouble:
            warnings.warn(trouble, scipy.linalg.LinAlgWarning, stacklevel=3)
        return Solution(x.reshape(b.shape), error, count, method)

    def _limit(self, dtype):
        return 4 * len(self.A) ** 0.5 * np.finfo(dtype).eps

    def _error(self, x, residual, b):
        """Backward error in the maximum norm, the largest over columns."""
        if not residual.size:
            return 0.0
        sizes = self._size * np.abs(x).max(axis=0) + np.abs(b).max(axis=0)
        errors = np.abs(residual).max(axis=0)
        found = float((errors / np.where(errors == 0, 1, sizes)).max())
        return found if np.isfinite(found) else np.inf

    def _refined(self, A, b):
        """Iterative refinement until the backward error no longer falls."""
        best = x = self._once(b)
        error, steps, eps = np.inf, 0, np.finfo(b.dtype).eps
        while True:
            residual = b - A @ x
            now = self._error(x, residual, b)
            if not now < error / 2:
                return best, error, steps
            best, error = x, now
            if error <= eps or steps == REFINEMENTS:
                return best, error, steps
            x, steps = x + self._once(residual), steps + 1

    def _once(self, b):
        """Solve with the factors: V (L U)^-1 U^T b."""
        y = np.array(b, order="C")
        for (u, _), segments in self._layers:
            for start, size in segments:
                rows(y.reshape(-1), start, size, u.astype(y.dtype), y.shape[1])
        y = upper_solve(self._factors, lower_solve(self._factors, y))
        y = np.ascontiguousarray(y)
        for (_, v), segments in reversed(self._layers):
            for start, size in segments:
                back(y.reshape(-1), start, size, v.astype(y.dtype), y.shape[1])
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
        Layers of the random butterflies, at most log2(n) rounded down.
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
    singular, with probability 1 (Parker, 1995). Of dense matrices two layers hardly
    ever leave one (Baboulin, Dongarra, Herrmann and Tomov, 2013); permutations and
    others that are mostly zero need more. A layer on n coordinates pairs i with
    i + ceil(n / 2); that works for any n (Lindquist, Luszczek and Dongarra, 2023, arXiv
    2312.09376). What stability is lost, refinement regains; for it A is kept, uncopied.

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
        As for `lu_rbt`, which see for right-hand sides that come later.
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
    >>> found = linalg.solve(A, A @ np.arange(99.0), rng=0)
    >>> bool(np.allclose(found.x, np.arange(99.0))), found.method
    (True, 'rbt')
    """
    options = {"depth": depth, "check_finite": check_finite, "rng": rng}
    return lu_rbt(A, **options)._solved(b, check_finite)


def _as_square(A, check_finite):
    A = as_operator("A", A, check_finite)
    if not isinstance(A, np.ndarray) or A.shape[0] != A.shape[1]:
        raise ValueError(
            f"A must be a dense square matrix, got {type(A).__name__} of shape "
            f"{A.shape}; for sparse ones see scipy.sparse.linalg"
        )
    return A


def _layer(n, level, dtype, rng):
    """Random numbers for U and V, and the segments (start, size) of a layer."""
    segments = [(0, n)]
    for _ in range(level):
        segments = [
            part
            for start, size in segments
            for part in (
                (start, (size + 1) // 2),
                (start + (size + 1) // 2, size // 2),
            )
        ]
    root = 0.5**0.5
    scales = [root * np.exp(rng.uniform(-1, 1, n) / SPREAD) for _ in range(2)]
    for start, size in segments:
        if size % 2:
            for scale in scales:
                scale[start + (size + 1) // 2 - 1] *= root
    return [scale.astype(dtype) for scale in scales], segments


def _row_sum(A):
    """Largest sum of absolute values of a row."""
    parts = (A[i : i + 256] for i in range(0, len(A), 256))
    return max((float(np.abs(part).sum(axis=1).max()) for part in parts), default=0.0)
