"""lstsq: least squares by sketching, to LAPACK's accuracy."""

import warnings
from dataclasses import replace

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike

from ..._base.arguments import as_choice, as_generator, as_size
from ...nn.arguments import as_flag, as_number
from ..arguments import as_problem, as_sketch
from .lapack import solve_with_lapack
from .problem import Problem
from .refinement import ITERATIONS
from .result import LeastSquares
from .sketched import SketchedProblem

# A sketch is faster than gelsd from these on: longer side of A by the shorter, elements
# of A, the shorter side; and with a further right-hand side for so many unknowns. As
# measured by benchmarks/linalg.py.
MIN_ASPECT, MIN_ELEMENTS, MIN_UNKNOWNS, UNKNOWNS_PER_FURTHER = 25, 1 << 19, 100, 256
METHODS = {name: name for name in ("auto", "sketch", "lapack")}


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
    """Minimise |A x - b|^2 + ridge |x|^2; by the minimum-norm x if several do.

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
        for LAPACK, which computes zeros less exactly; condition numbers to 1e14 need
        less than 45 eps.
    sketch : Sketch, array, sparse array, or LinearOperator, optional
        Of shape (l, max(m, n)), l at least min(m, n); real where A and b are.
        None: a sparse sign sketch with 4 non-zeros a column, and 6 to 16 rows for each
        unknown, more the taller A is; or A itself if it has no more rows.
    method : {"auto", "sketch", "lapack"}
        "auto": "sketch" where that is faster and works, else "lapack" (gelsd).
    iteration : {"lsqr", "momentum"}
        LSQR, or iterative sketching with damping and momentum, which assumes the
        distortion that a sketch of its shape should have; LSQR takes over where it is
        larger.
    max_iter : int
        Of each of two stages.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the sketch.

    Returns
    -------
    LeastSquares
        With ``.x``, its accuracy, the method and why it was used.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If LAPACK's iteration fails.

    Warns
    -----
    scipy.linalg.LinAlgWarning
        If the iteration does not converge, as with a bad sketch, and LAPACK does not
        replace it (as it does for arrays and "auto"); or if x is not finite.

    Notes
    -----
    Let S A = Q R with a sketch S. The solution of the sketched problem is the start.
    LSQR, preconditioned by R from the right, is run from there twice, the second time
    on the residual of the first result: this is stable (Epperly, 2024, arXiv
    2311.04362; Epperly, Meier and Nakatsukasa, 2024, arXiv 2406.03468), whereas a start
    from zero or a single run is not (Meier, Nakatsukasa, Townsend and Webb, 2024, arXiv
    2302.07202). A wide A (m < n) is preconditioned from the left, by a sketch of its
    adjoint; with a ridge it is [A, sqrt(ridge) I], x being the first n unknowns. If
    the sketch shows that A is rank-deficient, its singular values replace R, as in LSRN
    (Meng, Saunders and Mahoney, 2014).

    R is the Cholesky factor of (S A)^H S A, its columns scaled, up to condition numbers
    of about 1e7, and comes from a QR beyond; it only preconditions. Momentum needs
    neither norms nor orthogonality, which suits products in parallel; it takes as many
    iterations as LSQR or up to half more, for fewer than 100 unknowns up to twice as
    many more, and has not been faster here. Both are equally stable. The gradient of
    the result is checked in the pass that computes its residual.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((2000, 20))
    >>> result = linalg.lstsq(A, A @ np.arange(20.0), method="sketch", rng=0)
    >>> bool(np.allclose(result.x, np.arange(20.0)))
    True
    """
    asked = as_choice("method", method, METHODS)
    as_choice("iteration", iteration, ITERATIONS)
    max_iter = as_size("max_iter", max_iter)
    ridge = as_number("ridge", ridge)
    rng = rng if rng is None else as_generator(rng)  # entropy is read only if needed
    tol = None if tol is None else as_number("tol", tol, below=1)
    A, b = as_problem(A, b, as_flag("check_finite", check_finite))
    sketch = as_sketch(sketch, A.shape, b.dtype)
    if rcond is not None:
        rcond = as_number("rcond", rcond, below=1)
    columns = b if b.ndim == 2 else b[:, np.newaxis]
    problem = Problem.create(A, columns, ridge=ridge, tol=tol, rcond=rcond)
    options = {"iteration": iteration, "max_iter": max_iter}
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        result = _solve(problem, asked, sketch, rng, **options)
    if b.ndim == 1:
        norm = float(result.residual_norm[0])
        result = replace(result, x=result.x[:, 0], residual_norm=norm)
    if not result.converged:
        trouble = f"{result.reason}, in {result.iterations} iterations"
        trouble += ": x may not be accurate"
        warnings.warn(trouble, scipy.linalg.LinAlgWarning, stacklevel=2)
    return result


def _solve(problem, asked, sketch, rng, **options):
    """By the method asked for or the faster one; by LAPACK where a sketch fails."""
    method, reason = _choose_method(asked, problem, sketch)
    if method == "lapack":
        return solve_with_lapack(problem, reason)
    problem = problem.with_blas_layout()
    sketched = SketchedProblem(problem, sketch, as_generator(rng))
    if obstacle := sketched.obstacle():
        return solve_with_lapack(problem, obstacle)
    result = sketched.solve(reason=reason, **options)
    if not result.converged and asked == "auto" and isinstance(problem.A, np.ndarray):
        return solve_with_lapack(problem, f"{result.reason}: LAPACK instead")
    return result


def _choose_method(asked, problem, sketch):
    """The method, and why."""
    A, count = problem.A, problem.b.shape[1]
    if not min(A.shape):
        return "lapack", "A is empty"
    if asked != "auto":
        return asked, "asked for"
    if not isinstance(A, np.ndarray):
        return "sketch", "A is not a dense array"
    if sketch is not None:
        return "sketch", "a sketch was given"
    small, large = sorted(A.shape)
    if large < MIN_ASPECT * small or A.size < MIN_ELEMENTS or small < MIN_UNKNOWNS:
        return "lapack", (
            f"faster for {A.shape[0]} x {A.shape[1]}: a sketch is faster if one side "
            f"of A is at least {MIN_ASPECT} times the other, the other at least "
            f"{MIN_UNKNOWNS}, with at least {MIN_ELEMENTS} elements"
        )
    if count > 1 + small // UNKNOWNS_PER_FURTHER:
        return "lapack", (
            f"faster for {count} right-hand sides: a sketch is faster for one, and one "
            f"more for each {UNKNOWNS_PER_FURTHER} unknowns"
        )
    return "sketch", f"A is {'tall' if A.shape[0] > A.shape[1] else 'wide'} and large"
