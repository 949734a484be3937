"""lstsq: least squares by sketching, to LAPACK's accuracy."""

import warnings
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_choice, as_generator, as_size
from ...nn.arguments import as_flag, as_number
from ..arguments import as_problem, as_sketch, default_sketch
from .problem import ITERATIONS, Problem

# A sketch pays from m / n, m n and n on, with a right-hand side for so many unknowns
# besides the first; see benchmarks/linalg.py.
TALL, LARGE, WIDE, FURTHER = 25, 1 << 19, 100, 256
METHODS = "auto", "sketch", "lapack"


@dataclass(frozen=True)
class LeastSquares:
    """What `lstsq` found.

    Attributes
    ----------
    x : array, shape (n,) or (n, p)
    residual_norm : float, or array (p,)
        |b - A x|.
    rank : int
        Of A, with a ridge of A above root(ridge) I, or beside it if A is wide: singular
        values above `rcond` times the largest; of a sketched A by those of the sketch.
    condition : float
        Largest singular value by the smallest of those, or an estimate from the sketch.
    iterations : int
    converged : bool
        Whether they reached `tol`, and the gradient A^H (A x - b) + ridge x is as small
        as that makes it; for LAPACK whether x is finite.
    method : {"sketch", "lapack"}
    reason : str
        Why it was that method, and what became of the iteration if that failed.
    """

    x: NDArray
    residual_norm: float | NDArray
    rank: int
    condition: float
    iterations: int
    converged: bool
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
    iteration: str = "lsqr",
    max_iter: int = 200,
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
        Singular values up to rcond times the largest count as zero. None: 20 eps, or 40
        for LAPACK, which computes zeros less exactly; condition numbers to 1e14 ask for
        less than 45 eps.
    sketch : Sketch, array, sparse array, or LinearOperator, optional
        Of shape (l, max(m, n)), l at least min(m, n); real where A and b are.
        None: a sparse sign sketch with 4 non-zeros a column, and 6 to 16 rows for each
        unknown, more the longer A is; or A itself if it has not more.
    method : {"auto", "sketch", "lapack"}
        "auto": "sketch" where that pays and works, else "lapack" (gelsd).
    iteration : {"lsqr", "momentum"}
        LSQR, or iterative sketching with damping and momentum, which relies on the
        sketch to be as good as its shape lets expect; where it is not, LSQR takes over.
    max_iter : int
        Of each of two stages.
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

    Warns
    -----
    scipy.linalg.LinAlgWarning
        If the iteration does not converge, as with a bad sketch, and no LAPACK steps in
        (it does so for arrays and "auto"); or if x is not finite.

    Notes
    -----
    Let S A = Q R with a sketch S. The solution of the sketched problem is the start,
    and LSQR with R as preconditioner from the right is run from there twice, the second
    time on the residual of the first result. Started from zero, or run once, sketching
    is not stable (Meier, Nakatsukasa, Townsend and Webb, 2024, arXiv 2302.07202); so it
    is (Epperly, 2024, arXiv 2311.04362; Epperly, Meier and Nakatsukasa, 2024, arXiv
    2406.03468). A wide A (m < n) is preconditioned from the left, by a sketch of its
    adjoint; with a ridge it is [A, root(ridge) I], x being the first n unknowns. Where
    the sketch shows that A has not full rank, its singular values replace R, as in LSRN
    (Meng, Saunders and Mahoney, 2014).

    R is the Cholesky factor of (S A)^H S A, its columns scaled, to condition numbers of
    some 1e7; it only preconditions. Momentum needs no lengths and no orthogonality, so
    that it suits products in parallel; it takes as many iterations as LSQR, or up to
    half more, for less than 100 unknowns up to twice as many more, and has not been
    faster here. Both are as stable. In the end the gradient is looked at, in the pass
    that the residual takes.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((2000, 20))
    >>> found = linalg.lstsq(A, A @ np.arange(20.0), method="sketch", rng=0)
    >>> bool(np.allclose(found.x, np.arange(20.0)))
    True
    """
    asked = as_choice("method", method, {m: m for m in METHODS})
    as_choice("iteration", iteration, ITERATIONS)
    max_iter = as_size("max_iter", max_iter)
    ridge = as_number("ridge", ridge)
    rng = rng if rng is None else as_generator(rng)  # of None only if it is needed
    tol = None if tol is None else as_number("tol", tol, below=1)
    A, b = as_problem(A, b, as_flag("check_finite", check_finite))
    sketch = as_sketch(sketch, A.shape, b.dtype)
    if rcond is not None:
        rcond = as_number("rcond", rcond, below=1)
    columns = b if b.ndim == 2 else b[:, np.newaxis]
    options = iteration, max_iter, sketch is not None
    problem = Problem(A, columns, ridge, tol, rcond, *options)
    method, reason = _chosen(asked, problem)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if method == "sketch":
            found = problem.sketched(sketch or default_sketch, as_generator(rng))
            reason = "; ".join([reason, *problem.notes])
            if isinstance(found, str):
                method, reason = "lapack", found
            elif not found[-1] and asked == "auto" and isinstance(A, np.ndarray):
                method, reason = "lapack", f"{reason}: LAPACK instead"
        if method == "lapack":
            found = problem.lapack()
    x, residuals, *rest = found
    if b.ndim == 1:
        x, residuals = x[:, 0], float(residuals[0])
    result = LeastSquares(x, residuals, *rest, method, reason)
    if not result.converged:
        trouble = f"{reason}, in {result.iterations} iterations: x may not be accurate"
        warnings.warn(trouble, scipy.linalg.LinAlgWarning, stacklevel=2)
    return result


def _chosen(method, problem):
    """The method, and why."""
    A, count = problem.A, problem.b.shape[1]
    if not min(A.shape):
        return "lapack", "A is empty"
    if method != "auto":
        return method, "asked for"
    if not isinstance(A, np.ndarray):
        return "sketch", "A is not a dense array"
    if problem.given:
        return "sketch", "a sketch was given"
    small, large = sorted(A.shape)
    if large < TALL * small or A.size < LARGE or small < WIDE:
        return "lapack", (
            f"faster for {A.shape[0]} x {A.shape[1]}: a sketch pays where A is {TALL} "
            f"times as long as wide, from {WIDE} columns and {LARGE} numbers on"
        )
    if count > 1 + small // FURTHER:
        return "lapack", (
            f"faster for {count} right-hand sides: a sketch pays for one, and one more "
            f"for each {FURTHER} unknowns"
        )
    return "sketch", "A is long and large"
