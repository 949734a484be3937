"""lstsq: least squares by sketching, to LAPACK's accuracy."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from .._arrays import as_choice, as_generator, is_sparse
from ..nn._checks import as_flag, as_number
from ..sketch import Sketch
from ._arguments import as_problem, as_sketch, default_sketch, dense
from ._lsqr import lsqr, norms
from ._matrix import LeftSolved, Matrix, adjoint
from ._triangle import Triangle

EXTREME = "A or b is so small or so large that squares underflow or overflow"
STAGES = 2  # the second is iterative refinement
MAX_ITER = 200
TALL, LARGE, WIDE = 8, 1 << 21, 200  # m / n, m n and n from which a sketch pays


@dataclass(frozen=True)
class LeastSquares:
    """What `lstsq` found.

    Attributes
    ----------
    x : array, shape (n,) or (n, p)
    residual_norm : float, or array (p,)
        |b - A x|.
    rank : int
        Of A, with a ridge of A above root(ridge) I: singular values above `rcond` times
        the largest; of a sketched A by those of the sketch.
    condition : float
        Largest singular value by the smallest of those, or an estimate from the sketch.
    iterations : int
    method : {"sketch", "lapack"}
    reason : str
        Why it was that method.
    """

    x: NDArray
    residual_norm: float | NDArray
    rank: int
    condition: float
    iterations: int
    method: str
    reason: str


def lstsq(
    A: ArrayLike,
    b: ArrayLike,
    *,
    ridge: float = 0.0,
    tol: float | None = None,
    rcond: float | None = None,
    sketch=None,
    method: str = "auto",
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> LeastSquares:
    """Minimise |A x - b|^2 + ridge |x|^2; of several minimisers return the shortest.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
        Real or complex.
    b : array, shape (m,) or (m, p)
    ridge : float
        At least 0.
    tol : float, optional
        Relative accuracy at which iterations end; None: machine precision.
    rcond : float, optional
        Singular values up to rcond times the largest count as zero. None:
        4 sqrt(min(m, n)) eps, which leaves condition numbers to 1e14 alone for 100
        unknowns, to 3e13 for 1000.
    sketch : Sketch, array, sparse array, or LinearOperator, optional
        Of shape (l, max(m, n)), l at least min(m, n); real where A and b are.
        None: a sparse sign sketch with 6 rows for each unknown, or A itself if it has
        not more.
    method : {"auto", "sketch", "lapack"}
        "auto": "sketch" where that pays and works, else "lapack" (gelsd).
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the sketch.

    Returns
    -------
    LeastSquares
        With ``.x``, and what was done and why.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If LAPACK's iteration fails.

    Notes
    -----
    Let S A = Q R with a sketch S. The solution of the sketched problem is the start,
    and LSQR with R as preconditioner from the right is run from there twice, the second
    time on the residual of the first result. Started from zero, or run once, sketching
    is not stable (Meier, Nakatsukasa, Townsend and Webb, 2024, arXiv 2302.07202); so it
    is (Epperly, 2024, arXiv 2311.04362; Epperly, Meier and Nakatsukasa, 2024, arXiv
    2406.03468). A wide A (m < n) is preconditioned from the left, by a sketch of its
    adjoint. Where the sketch shows that A has not full rank, its singular values
    replace R, as in LSRN (Meng, Saunders and Mahoney, 2014).

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((2000, 20))
    >>> found = linalg.lstsq(A, A @ np.arange(20.0), method="sketch", rng=0)
    >>> bool(np.allclose(found.x, np.arange(20.0)))
    True
    """
    method = as_choice("method", method, {m: m for m in ("auto", "sketch", "lapack")})
    ridge, rng = as_number("ridge", ridge), as_generator(rng)
    tol = None if tol is None else as_number("tol", tol, below=1)
    A, b = as_problem(A, b, as_flag("check_finite", check_finite))
    sketch = as_sketch(sketch, A.shape, b.dtype)
    if rcond is not None:
        rcond = as_number("rcond", rcond, below=1)
    problem = _Problem(A, b if b.ndim == 2 else b[:, np.newaxis], ridge, tol, rcond)
    method, reason = _chosen(method, A, ridge, sketch is not None)
    sketch = sketch or default_sketch
    with np.errstate(over="ignore", under="ignore"):
        if method == "sketch":
            found = problem.sketched(sketch, rng)
            if isinstance(found, str):
                method, reason = "lapack", found
        if method == "lapack":
            found = problem.lapack()
    x, residuals, rank, condition, iterations = found
    if b.ndim == 1:
        x, residuals = x[:, 0], float(residuals[0])
    return LeastSquares(x, residuals, rank, condition, iterations, method, reason)


def _chosen(method, A, ridge, given):
    """The method, and why."""
    if not min(A.shape):
        return "lapack", "A is empty"
    if method != "auto":
        return method, "asked for"
    if not isinstance(A, np.ndarray):
        return "sketch", "A is not a dense array"
    if given:
        return "sketch", "a sketch was given"
    small, large = sorted(A.shape)
    if ridge and A.shape[0] < A.shape[1]:
        return "lapack", "A is wide and there is a ridge"
    if large < TALL * small or A.size < LARGE or small < WIDE:
        return "lapack", (
            f"faster for {A.shape[0]} x {A.shape[1]}: a sketch pays where A is {TALL} "
            f"times as long as wide, from {WIDE} columns and {LARGE} numbers on"
        )
    return "sketch", "A is long and large"


class _Problem:
    """A, b (m, p), the root of the ridge, and what is as small as rounding."""

    def __init__(self, A, b, ridge, tol, rcond):
        self.A, self.b, self.ridge = A, b, ridge**0.5
        eps = float(np.finfo(b.dtype).eps)
        self.tol = max(tol or 0.0, eps)
        self.rcond = 4 * min(A.shape) ** 0.5 * eps if rcond is None else rcond

    def _extreme(self, R):
        """Whether squares in the iteration may overflow or underflow."""
        limit = float(np.finfo(self.b.dtype).max) ** 0.4
        sizes = np.append(np.abs(self.b).max(axis=0, initial=0), np.abs(R).max())
        sizes = (float(size) for size in sizes)
        return not all(size == 0 or 1 / limit < size < limit for size in sizes)

    def lapack(self):
        """By gelsd, of the dense matrix."""
        A, b = dense(self.A, self.b.dtype), self.b
        if self.ridge:
            A = np.vstack([A, self.ridge * np.eye(A.shape[1], dtype=A.dtype)])
            b = np.vstack([b, np.zeros((A.shape[1], b.shape[1]), b.dtype)])
        if not A.size:
            x = np.zeros((A.shape[1], b.shape[1]), b.dtype)
            return x, norms(b), 0, 1.0, 0
        columns = b if b.shape[1] else np.zeros((len(b), 1), b.dtype)
        options = {"cond": self.rcond, "check_finite": False}
        x, _, rank, s = scipy.linalg.lstsq(A, columns, **options)
        x = x[:, : b.shape[1]]
        residuals = norms(self.b - A[: len(self.b)] @ x)
        condition = float(s[0] / s[rank - 1]) if rank else 1.0
        return x, residuals, int(rank), condition, 0

    def sketched(self, sketch, rng):
        """By a sketch, or a text that says why not."""
        m, n = self.A.shape
        if m < n:
            return self._wide(sketch, rng)
        matrix = Matrix(self.A, self.ridge)
        right = np.vstack([self.b, np.zeros((matrix.rows - m, self.b.shape[1]))])
        right = right.astype(self.b.dtype, copy=False)
        R, rest = _triangle(self.A, self.b, self.ridge, sketch, self.b.dtype, rng)
        if self._extreme(R):
            return EXTREME
        triangle = Triangle(R, self.rcond)

        def residual(x):
            U = right.copy()
            matrix.subtract(x, U)
            return -U

        def size(x, residual, _):  # to compare with changes of R x
            return triangle.norm * np.linalg.norm(x, axis=0) + residual

        pair = triangle.times, triangle.adjoint
        return self._refined(
            matrix, pair, triangle, triangle.solve(rest), residual, size
        )

    def _wide(self, sketch, rng):
        """The shortest x with A x = b, by a sketch of A^H."""
        if self.ridge:
            return "A is wide and there is a ridge"
        m, n = self.A.shape
        R, _ = _triangle(adjoint(self.A), None, 0.0, sketch, self.b.dtype, rng)
        if self._extreme(R):
            return EXTREME
        triangle = Triangle(R, self.rcond)
        if triangle.rank < m:
            return f"A is wide and has rank {triangle.rank}, by its sketch"
        # R^H is the factor of A from the left.
        solve, solve_adjoint = triangle.adjoint, triangle.times
        matrix = LeftSolved(Matrix(self.A), solve, solve_adjoint)
        x = np.zeros((n, self.b.shape[1]), self.b.dtype)

        def residual(x):
            return solve(self.b - self.A @ x)

        def size(x, _, length):
            return np.maximum(np.linalg.norm(x, axis=0), length)

        return self._refined(matrix, (np.copy, np.copy), triangle, x, residual, size)

    def _refined(self, matrix, pair, triangle, x, residual, size):
        """LSQR in stages from x on; `size`: what its changes are compared with."""
        iterations = 0
        for _ in range(STAGES):

            def enough(change, missed, length, x=x):
                return change <= self.tol * size(x, missed, length)

            change, count = lsqr(matrix, pair, residual(x), enough, MAX_ITER)
            x = x + change
            iterations += count
        residuals = norms(self.b - self.A @ x)
        return x, residuals, triangle.rank, triangle.condition, iterations


def sketched_triangle(A, sketch, rng):
    """R of the sketch of A, or of its adjoint if A is wide."""
    A = A if A.shape[0] >= A.shape[1] else adjoint(A)
    dtype = np.dtype(A.dtype or np.float64)
    return _triangle(A, None, 0.0, sketch, dtype, rng)[0]


def _triangle(A, b, ridge, sketch, dtype, rng):
    """R of the sketched A, and Q^H times the sketched b."""
    m, n = A.shape
    S = sketch(m, n, rng)
    parts = [_sketched(S, A)]
    if b is not None:
        parts.append(S @ b)
    stacked = np.hstack(parts)
    if ridge:
        below = np.zeros((n, stacked.shape[1]), stacked.dtype)
        below[:, :n] = ridge * np.eye(n)
        stacked = np.vstack([stacked, below])
    R = np.linalg.qr(stacked.astype(dtype, copy=False), mode="r")
    return R[:n, :n], R[:n, n:]


def _sketched(S, A):
    if isinstance(A, np.ndarray) or (isinstance(S, Sketch) and is_sparse(A)):
        return S @ A
    rows = S.T @ np.eye(S.shape[0])
    if hasattr(A, "rmatmat"):
        return A.rmatmat(rows.conj()).conj().T
    return (A.T @ rows).T
