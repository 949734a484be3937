"""preconditioner: butterflies that approximate an inverse, for iterative solvers."""

import math
from functools import partial

import numpy as np
from numpy.linalg import LinAlgError
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ..._base.arguments import as_choice, as_generator, as_size
from ...approximation.factorize import factorize
from ...nn.arguments import as_flag
from ...operators.butterfly import Butterfly
from ..arguments import as_operator, dense
from .blocks import choose_radices, ranks_to_try
from .peeling import peel
from .target import target

PROBES = 16  # random vectors by which the residual is estimated
TARGET_RESIDUAL = 0.1  # with which no larger rank, and no more samples, are tried
METHODS = {"auto": None, "factorize": False, "learn": True}  # whether to learn
OF = {"inverse": True, "A": False}  # whether to invert


class Preconditioner(LinearOperator):
    """M, an approximation of the inverse of A: a sum P of butterflies, or P^H P.

    Attributes
    ----------
    operators : list of Butterfly
        The terms of P.
    residual : float
        |M A Z - Z| / |Z| for random Z: 0 for the inverse, 1 for M = 0.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    def __init__(self, operators: list[Butterfly], squared: bool, residual: float):
        dtype = np.result_type(np.float64, *(B.dtype for B in operators))
        super().__init__(dtype, operators[0].shape)
        self.operators, self.residual = list(operators), residual
        self._squared = squared

    @property
    def n_weights(self) -> int:
        """Number of weights of all the operators."""
        return sum(B.n_weights for B in self.operators)

    def _matmat(self, X):
        Y = sum(B @ X for B in self.operators)
        return sum(B.H @ Y for B in self.operators) if self._squared else Y

    def _matvec(self, x):
        return self._matmat(x.reshape(-1))

    def _adjoint(self):
        if self._squared:
            return self
        return Preconditioner([B.H for B in self.operators], False, self.residual)

    def __repr__(self):
        kind = "P^H P" if self._squared else "P"
        count = len(self.operators)
        return (
            f"Preconditioner(shape={self.shape}, {kind} of {count} "
            f"butterfl{'y' if count == 1 else 'ies'}, n_weights={self.n_weights}, "
            f"residual={self.residual:.2g})"
        )


def preconditioner(
    A: ArrayLike,
    *,
    of: str = "inverse",
    method: str = "auto",
    rank: int | None = None,
    terms: int = 1,
    diagonal: bool = False,
    spd: bool = False,
    samples: int | None = None,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> Preconditioner:
    """Approximate the inverse of A by butterflies.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (n, n)
        Real or complex; n without a prime factor above 128.
    of : {"inverse", "A"}
        What is approximated: the inverse of A; or A itself by one butterfly, whose
        inverse is M. "A" needs no inverse of a dense matrix, and suits matrices like
        Fourier's, for which one path between any two coordinates is enough.
    method : {"auto", "factorize", "learn"}
        Where the entries of A come from. "factorize": from A as a dense matrix; for an
        operator that takes n products. "learn": they are estimated from fewer products
        with A and, unless spd, its adjoint, accurately if the off-diagonal blocks have
        at most rank `samples`, nearly. "auto": "learn" for a LinearOperator, else
        "factorize".
    rank : int, optional
        Number of paths between an input and an output. None: 4, then 8 and 16 if the
        residual is still above 0.1, while that takes no more weights than a dense
        matrix; 1 for of="A".
    terms : int
        Number of butterflies in the sum.
    diagonal : bool
        True: add a diagonal as one more term, which improves small ranks.
    spd : bool
        True, for a symmetric or Hermitian positive definite A: M = P^H P is positive
        definite too, as `cg` and `minres` need; P approximates the inverse of a
        Cholesky factor. That A is symmetric is not checked.
    samples : int, optional
        For "learn": random vectors for each of the log2(n / 32) levels of blocks; each
        takes 4 products, or 2 with spd. None: 16, doubled until the inverse of the
        estimate has a residual of 0.1; if that would take n products, A is computed
        from n products.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the samples, and the vectors by which the residual is estimated.

    Returns
    -------
    Preconditioner
        For ``M=`` of SciPy's iterative solvers; `residual` measures its quality.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If A is singular, or with spd not positive definite. For of="A", if a block of
        the butterfly is singular or its condition number exceeds 1 / eps, as where
        whole blocks of A are zero.

    Warns
    -----
    scipy.linalg.LinAlgWarning
        By newer versions of SciPy, if A is singular to working precision.

    Notes
    -----
    Takes O(n^2) memory, and O(n^3) operations for the inverse or the Cholesky factor;
    M x takes O(n log n). So it is worthwhile for many right-hand sides if products with
    A take less than O(n^2) too. For a dense A an LU is computed sooner and solves
    without iterations; for a sparse one an incomplete LU is better. (of="A" with
    "factorize" takes O(n^2 log n) operations.)

    M is accurate if the off-diagonal blocks of the inverse have low rank, up to 16, as
    for integral equations and Toeplitz matrices; for differential operators in one
    dimension M is the inverse up to rounding. For k x k points of a plane the ranks
    grow with k. If "learn" with spd yields an estimate that is not positive definite,
    its eigenvalues are replaced by their absolute values, the small ones by larger
    ones.

    For an inverse that exists as an operator, as of `scipy.sparse.linalg.splu`, call
    `factorize` directly.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.linalg import toeplitz
    >>> from fastbutterfly import linalg
    >>> A = toeplitz(1 / (1 + np.arange(512.0)))
    >>> M = linalg.preconditioner(A, spd=True, rng=0)
    >>> M.residual < 1e-3, M.n_weights / A.size < 0.5
    (True, True)
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite))
    if A.shape[0] != A.shape[1] or not A.shape[0]:
        raise ValueError(f"A must be square and not empty, got shape {A.shape}")
    invert = as_choice("of", of, OF)
    learn = as_choice("method", method, METHODS)
    learn = hasattr(A, "rmatmat") if learn is None else learn
    rank = None if rank is None else as_size("rank", rank)
    samples = None if samples is None else as_size("samples", samples)
    diagonal, spd = as_flag("diagonal", diagonal), as_flag("spd", spd)
    terms, rng = as_size("terms", terms), as_generator(rng)
    if not invert:
        _check_single_butterfly(rank, terms, diagonal)
    n, dtype = A.shape[0], np.result_type(A.dtype or np.float64, np.float64)
    radices = choose_radices(n)
    probes = rng.standard_normal((n, PROBES)).astype(dtype)
    products = A @ probes
    if learn:
        is_accurate = partial(_is_accurate, X=probes, Y=products)
        matrix, exact = peel(A, dtype, samples, spd, rng, is_accurate)
    else:
        matrix, exact = dense(A, dtype).astype(dtype, copy=False), True
    goal = target(matrix, invert=invert, spd=spd, exact=exact)
    if not invert:
        inverse = _fit(goal, radices, 1, 1, False)[0].inv()
        M = Preconditioner([inverse.H if spd else inverse], spd, math.nan)
        M.residual = _relative_error(M @ products, probes)
        return M
    best = None
    for candidate in [rank] if rank else ranks_to_try(radices, terms):
        operators = _fit(goal, radices, candidate, terms, diagonal)
        M = Preconditioner(operators, spd, math.nan)
        M.residual = _relative_error(M @ products, probes)
        if best is None or M.residual < best.residual:
            best = M
        if best.residual <= TARGET_RESIDUAL:
            break
    return best


def _check_single_butterfly(rank, terms, diagonal):
    """Raise if A itself would be approximated by operators without a fast inverse."""
    why = 'for of="A", as only one butterfly of square blocks has a fast inverse'
    for name, value in (("rank", rank or 1), ("terms", terms)):
        if value != 1:
            raise ValueError(f"{name} must be 1 {why}, got {value}")
    if diagonal:
        raise ValueError(f"diagonal must be False {why}")


def _relative_error(X, exact):
    """|X - exact| / |exact|."""
    return float(np.linalg.norm(X - exact) / np.linalg.norm(exact))


def _is_accurate(A, X, Y):
    """Whether A X is near Y, and A^-1 Y near X."""
    if np.linalg.norm(A @ X - Y) > TARGET_RESIDUAL * np.linalg.norm(Y):
        return False
    try:
        error = np.linalg.solve(A, Y) - X
    except LinAlgError:
        return False
    return bool(np.linalg.norm(error) <= TARGET_RESIDUAL * np.linalg.norm(X))


def _fit(matrix, radices, rank, terms, diagonal):
    """Butterflies, and a diagonal if asked for, whose sum is near the matrix."""
    operators = []
    if diagonal:
        entries = np.diag(matrix)
        matrix = matrix - np.diag(entries)
        blocks = entries.reshape(-1, 1, 1)
        operators = [Butterfly.from_blocks([blocks], [(len(entries), 1, 1, 1)])]
    options = {"radices": radices, "rank": rank, "terms": terms}
    fitted = factorize(matrix, **options).operator
    butterflies = [fitted] if isinstance(fitted, Butterfly) else fitted.operators
    return [*operators, *butterflies]
