"""rsvd: the truncated singular value decomposition by sketching."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_size
from ...nn.arguments import as_flag, as_number
from ..arguments import as_operator
from .range_finder import RangeFinder


class SVD(NamedTuple):
    """A, approximately, as U @ np.diag(s) @ Vt.

    Attributes
    ----------
    U : array, shape (m, k)
    s : array, shape (k,)
    Vt : array, shape (k, n)
    error : float
        Estimate of |A - U diag(s) Vt| in the Frobenius norm.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    U: NDArray
    s: NDArray
    Vt: NDArray
    error: float


def rsvd(
    A: ArrayLike,
    k: int | None = None,
    *,
    tol: float | None = None,
    oversampling: int = 10,
    power: int = 2,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> SVD:
    """Find the k largest singular values and vectors, or as many as tol asks for.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (m, n)
        Real or complex. An array may be a `numpy.memmap`.
    k : int, optional
        Rank, at most min(m, n). None: the smallest with an error of at most `tol`.
    tol : float, optional
        Instead of k: the largest relative error |A - U diag(s) Vt| / |A| in the
        Frobenius norm, raised to the square root of the machine precision if it is
        below. For an operator the error is estimated from 10 random products.
    oversampling : int
        Number of random directions beyond k, at least 0.
    power : int
        Rounds of the power iteration, at least 0; each reads A twice. More of them are
        more accurate where the singular values decay slowly.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the directions.

    Returns
    -------
    SVD

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    With Q an orthonormal basis of (A A^H)^power A G, G Gaussian, the decomposition is
    that of Q (Q^H A) (Halko, Martinsson and Tropp, 2011, Algorithms 4.4 and 5.1). The
    squared error is |A|^2 - |s|^2, or, for an operator and where that cancels, an
    estimate from 10 random products: the mean of |(A - U diag(s) Vt) g|^2 is
    |A - U diag(s) Vt|^2.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> A = np.random.default_rng(0).standard_normal((300, 5)) @ np.ones((5, 200))
    >>> U, s, Vt, error = linalg.rsvd(A, 1, rng=0)
    >>> bool(np.allclose(U * s @ Vt, A))
    True
    """
    if (k is None) == (tol is None):
        raise ValueError(f"one of k and tol must be given, got k={k!r}, tol={tol!r}")
    check_finite = as_flag("check_finite", check_finite)
    A = as_operator("A", A, check_finite=False, needs_adjoint=True)
    if not min(A.shape):
        raise ValueError(f"A must not be empty, got shape {A.shape}")
    oversampling = as_size("oversampling", oversampling, least=0)
    finder = RangeFinder(A, as_size("power", power, least=0), as_generator(rng))
    if check_finite:
        finder.check_finite("A")
    if k is not None:
        k = as_size("k", k)
        if k > min(A.shape):
            raise ValueError(f"k must be at most {min(A.shape)}, got {k}")
        finder.grow(min(k + oversampling, min(A.shape)))
    else:
        k = finder.grow_until(as_number("tol", tol, below=1))
    U, s, Vt = np.linalg.svd(finder.B, full_matrices=False)
    U, s, Vt = finder.Q @ U[:, :k], s[:k], Vt[:k]
    return SVD(U, s, Vt, finder.error(U, s, Vt))
