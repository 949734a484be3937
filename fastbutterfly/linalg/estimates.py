"""norm and cond: estimates from a few products, with their accuracy."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._base.arguments import as_generator, as_size
from ..nn.arguments import as_flag
from .arguments import as_operator, default_sketch
from .least_squares.sketched_qr import sketched_triangle
from .low_rank.range_finder import Range

BLOCK = 4  # directions at a time


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
        With the default, hardly ever less than 0.95 of the norm; nearer where singular
        values fall.

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
    A = as_operator("A", A, as_flag("check_finite", check_finite), both=True)
    rng, power = as_generator(rng), as_size("power", power, least=0)
    if not min(A.shape):
        return 0.0
    space = Range(A, power, rng)
    space.grow(min(BLOCK, *A.shape))
    return float(np.linalg.svd(space.B, compute_uv=False)[0])


def cond(
    A: ArrayLike, *, check_finite: bool = True, rng: Generator | int | None = None
) -> float:
    """Estimate the condition number, largest by smallest singular value, of a tall A.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
        Real or complex; for m < n that of its adjoint is the same.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the sketch.

    Returns
    -------
    float
        Within a factor 3 of the condition number with high probability, to where
        rounding ends that; infinite if a singular value of the sketch is zero.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    That of a sketch of at least 6 min(m, n) rows, whose singular values are those of A
    up to a factor 1 +- 1/sqrt(6), or nearer; of A itself if that is not longer.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((1000, 3)) * [1.0, 10.0, 1e6]
    >>> 1e6 / 3 < linalg.cond(A, rng=0) < 3e6
    True
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite), both=True)
    if not min(A.shape):
        raise ValueError(f"A must not be empty, got shape {A.shape}")
    R = sketched_triangle(A, default_sketch, as_generator(rng))
    s = np.linalg.svd(R, compute_uv=False)
    return float(s[0] / s[-1]) if s[-1] else np.inf
