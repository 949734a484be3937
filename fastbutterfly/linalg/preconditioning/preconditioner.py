"""preconditioner: butterflies that approximate an inverse, for iterative solvers."""

import math
from functools import partial

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ..._base.arguments import as_choice, as_generator, as_size
from ..._plans.patterns import LARGEST, as_radices
from ...approximation import square_pattern
from ...approximation.factorize import factorize
from ...nn.arguments import as_flag
from ...operators.butterfly import Butterfly
from ..arguments import as_operator, dense
from .peeling import learned

PROBES = 16  # random samples by which the result is judged
RANKS = 4, 8, 16  # that are tried
GOOD = 0.1  # residual with which no larger rank is tried
RADIX = 16  # of a layer, where the size allows
FLOOR = 0.25  # least size of an eigenvalue, over the largest error that is known of
METHODS = {"auto": None, "factorize": False, "learn": True}
OF = {"inverse": False, "A": True}


class Preconditioner(LinearOperator):
    """M, an approximation of the inverse of A: a sum P of butterflies, or P^H P.

    Attributes
    ----------
    operators : list of Butterfly
        The terms of P.
    residual : float
        |M A Z - Z| / |Z| for random Z: 0 for the inverse, 1 for M = 0.
    """

    def __init__(self, operators: list[Butterfly], squared: bool, residual: float):
        dtype = np.result_type(np.float64, *(B.dtype for B in operators))
        super().__init__(dtype, operators[0].shape)
        self.operators, self.residual = list(operators), residual
        self._squared = squared

    @property
    def n_weights(self) -> int:
        """Numbers that are stored: those of the operators."""
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
        What is approximated: the inverse of A; or A itself by one butterfly, M being
        its inverse. "A" needs no inverse of a dense matrix, and suits Fourier-like
        matrices, which one path between any two coordinates describes.
    method : {"auto", "factorize", "learn"}
        Where the entries come from. "factorize": from A as a dense matrix; for an
        operator that takes n products. "learn": they are estimated from fewer products
        with A and, unless spd, its adjoint, which are about right if blocks away from
        the diagonal have rank `samples` at most. "auto": "learn" for a LinearOperator.
    rank : int, optional
        Paths between an input and an output. None: 4, then 8 and 16 if the residual is
        still above 0.1, while it takes no more weights than a dense matrix; 1 for
        of="A".
    terms : int
        Butterflies in the sum.
    diagonal : bool
        True: with a diagonal as one more term, which helps small ranks.
    spd : bool
        True, for a symmetric or Hermitian positive definite A: M = P^H P, which is so
        too, as `cg` and `minres` need; P approximates the inverse of a Cholesky factor.
        That A is symmetric is not checked.
    samples : int, optional
        For "learn": random vectors for each level of blocks, of log2(n / 32) levels;
        each takes 4 products, or 2 with spd. None: 16, doubled until the estimate's
        inverse leaves a residual of 0.1; where that would take n products, these.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the samples, and those by which the result is judged.

    Returns
    -------
    Preconditioner
        For ``M=`` of SciPy's iterative solvers; its `residual` tells how good it is.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If A is singular, or with spd not positive definite. For of="A", if a block of
        the butterfly is singular, or its condition number beyond 1 / eps: `factorize`
        leaves such blocks where A has parts of zeros.

    Warns
    -----
    scipy.linalg.LinAlgWarning
        By newer versions of SciPy, if A is singular to working precision.

    Notes
    -----
    Takes O(n^2) memory, and O(n^3) operations for the inverse or the Cholesky factor;
    M x takes O(n log n). So it pays for many right-hand sides where products with A
    take less than O(n^2) too. For a dense A an LU is made sooner and solves without
    iterations; for a sparse one an incomplete LU is better. ("A" with "factorize" takes
    O(n^2 log n) operations.)

    Helps where the inverse has blocks of low rank, up to 16, as for integral equations
    and Toeplitz matrices; for differential operators on one axis M is the inverse up to
    rounding. On k x k points of a plane the ranks grow with k. With "learn" an estimate
    that is not positive definite, though spd, has the signs of its eigenvalues changed
    and the small ones raised.

    An inverse that exists as an operator, as of `scipy.sparse.linalg.splu`, needs
    `factorize` only.

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
    itself = as_choice("of", of, OF)
    learn = as_choice("method", method, METHODS)
    learn = hasattr(A, "rmatmat") if learn is None else learn
    rank = None if rank is None else as_size("rank", rank)
    samples = None if samples is None else as_size("samples", samples)
    diagonal, spd = as_flag("diagonal", diagonal), as_flag("spd", spd)
    terms, rng = as_size("terms", terms), as_generator(rng)
    if itself:
        _check_alone(rank, terms, diagonal)
    n, dtype = A.shape[0], np.result_type(A.dtype or np.float64, np.float64)
    radices = _radices(n)
    probes = rng.standard_normal((n, PROBES)).astype(dtype)
    images = A @ probes
    if learn:
        judge = partial(_solves, X=probes, Y=images)
        matrix, exact = learned(A, dtype, samples, spd, rng, judge)
    else:
        matrix, exact = dense(A, dtype).astype(dtype, copy=False), True
    target, best = _target(matrix, itself, spd, exact), None
    for each in (rank,) if rank else (1,) if itself else _ranks(radices, terms):
        operators = _operators(target, radices, each, terms, diagonal)
        if itself:
            inverse = operators[0].inv()
            operators = [inverse.H if spd else inverse]
        found = Preconditioner(operators, spd, math.nan)
        missed = np.linalg.norm(found @ images - probes)
        found.residual = float(missed / np.linalg.norm(probes))
        if best is None or found.residual < best.residual:
            best = found
        if best.residual <= GOOD:
            break
    return best


def _check_alone(rank, terms, diagonal):
    """What has no fast inverse is no approximation of A itself."""
    why = 'for of="A", as only one butterfly of square blocks has a fast inverse'
    for name, value in (("rank", rank or 1), ("terms", terms)):
        if value != 1:
            raise ValueError(f"{name} must be 1 {why}, got {value}")
    if diagonal:
        raise ValueError(f"diagonal must be False {why}")


def _solves(A, X, Y):
    """Whether A X is near Y, and A^-1 Y near X."""
    if np.linalg.norm(A @ X - Y) > GOOD * np.linalg.norm(Y):
        return False
    try:
        missed = np.linalg.solve(A, Y) - X
    except LinAlgError:
        return False
    return bool(np.linalg.norm(missed) <= GOOD * np.linalg.norm(X))


def _target(A, itself, spd, exact):
    """A or its inverse; with spd, R with A = R^H R or P with the inverse P^H P."""
    if not spd:
        return A if itself else scipy.linalg.inv(A, check_finite=False)
    try:
        R = scipy.linalg.cholesky(A, check_finite=False)
    except LinAlgError:
        return _square_root(A, itself, exact)
    if itself:
        return R
    trtri = scipy.linalg.get_lapack_funcs("trtri", (R,))
    return trtri(R)[0].conj().T


def _square_root(A, itself, exact):
    """As `_target`, for an estimate of A whose errors made it indefinite."""
    w, V = scipy.linalg.eigh(A, check_finite=False)
    if exact or not w[-1] > 0:
        raise LinAlgError(
            "A must be positive definite for spd=True, but has the eigenvalue "
            f"{w[0]:.2g}"
        )
    w = np.maximum(np.abs(w), FLOOR * max(-w[0], np.finfo(float).eps * w[-1]))
    return V * w ** (0.5 if itself else -0.5) @ V.conj().T


def _ranks(radices, terms):
    """Ranks to try: the first, and those that take no more weights than n^2."""
    first, *rest = RANKS
    n = math.prod(radices)
    count = {
        rank: sum(map(math.prod, square_pattern(n, "increasing", radices, rank)))
        for rank in rest
    }
    return first, *(rank for rank in rest if terms * count[rank] <= n**2)


def _radices(n):
    """Sizes of blocks near RADIX, from factors of n."""
    try:
        factors = sorted(as_radices(None, n), reverse=True)
    except ValueError as error:
        raise ValueError(
            f"A must have a size without a prime factor above {LARGEST}, got {n}"
        ) from error
    found = [1] * max(1, math.ceil(math.log(n, RADIX) - 1e-9))
    for factor in factors:
        found.sort()
        found[0] *= factor
    return [radix for radix in found if radix > 1]


def _operators(target, radices, rank, terms, diagonal):
    """Butterflies, and a diagonal if asked for, whose sum is near the target."""
    found = []
    if diagonal:
        entries = np.diag(target)
        target = target - np.diag(entries)
        blocks = entries.reshape(-1, 1, 1)
        found = [Butterfly.from_blocks([blocks], [(len(entries), 1, 1, 1)])]
    options = {"radices": radices, "rank": rank, "terms": terms}
    near = factorize(target, **options).operator
    return [*found, *([near] if isinstance(near, Butterfly) else near.operators)]
