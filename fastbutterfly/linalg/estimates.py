"""Estimates of norm and condition number from a few products with A."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._base.arguments import as_generator, as_size
from ..nn.arguments import as_flag
from .arguments import as_operator
from .least_squares import sketched_triangle
from .low_rank import RangeFinder

# Of the block power iteration. A single one may be nearly orthogonal to the first
# singular vector; four make that improbable, and take hardly longer.
DIRECTIONS = 4


def norm(
    A: ArrayLike,
    *,
    power: int = 8,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> float:
    """Estimate the largest singular value, from below.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
        Real or complex.
    power : int
        Rounds of a block power iteration, each with two products.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the directions.

    Returns
    -------
    float
        With the default, hardly ever less than 0.95 of the norm; closer to it where the
        singular values decay.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> round(linalg.norm(np.diag([3.0, 1.0, 0.5]), rng=0), 6)
    3.0
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite), needs_adjoint=True)
    rng, power = as_generator(rng), as_size("power", power, least=0)
    if not min(A.shape):
        return 0.0
    finder = RangeFinder(A, power, rng)
    finder.grow(min(DIRECTIONS, *A.shape))
    return float(np.linalg.svd(finder.B, compute_uv=False)[0])


def cond(
    A: ArrayLike, *, check_finite: bool = True, rng: Generator | int | None = None
) -> float:
    """Estimate the condition number: the largest by the smallest singular value.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
        Real or complex; a wide one (m < n) has the condition number of its adjoint.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the sketch.

    Returns
    -------
    float
        Within a factor 3 of the condition number with high probability, unless that is
        beyond 1 / eps; infinite if a singular value of the sketch is zero.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    The condition number of a sketch of at least 6 min(m, n) rows, whose singular values
    are those of A up to a factor 1 +- 1/sqrt(6) at most; of A itself if it has no more
    rows than the sketch.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((1000, 3)) * [1.0, 10.0, 1e6]
    >>> 1e6 / 3 < linalg.cond(A, rng=0) < 3e6
    True
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite), needs_adjoint=True)
    if not min(A.shape):
        raise ValueError(f"A must not be empty, got shape {A.shape}")
    R = sketched_triangle(A, as_generator(rng))
    s = np.linalg.svd(R, compute_uv=False)
    return float(s[0] / s[-1]) if s[-1] else np.inf
