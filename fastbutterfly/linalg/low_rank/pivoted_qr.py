"""qr: column-pivoted QR, with the pivots chosen from a sketch."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_size
from ...nn.arguments import as_flag
from ...sketch import sparse
from ..arguments import as_operator
from .range_finder import frobenius


class PivotedQR(NamedTuple):
    """A[:, pivots] = Q @ R; for k below the rank of A approximately.

    Attributes
    ----------
    Q : array, shape (m, k)
        Orthonormal columns; those of its span are the first k pivots.
    R : array, shape (k, n)
        Its first k columns are upper triangular.
    pivots : array of int, shape (n,)
    error : float
        |A[:, pivots] - Q R| in the Frobenius norm.
    """

    Q: NDArray
    R: NDArray
    pivots: NDArray
    error: float


def qr(
    A: ArrayLike,
    k: int | None = None,
    *,
    oversampling: int = 10,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> PivotedQR:
    """Factor A with the columns that matter most in front.

    Parameters
    ----------
    A : array, shape (m, n)
        Real or complex.
    k : int, optional
        Columns to choose, at most min(m, n); None: min(m, n).
    oversampling : int
        More rows than k in the sketch from which they are chosen.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the sketch.

    Returns
    -------
    PivotedQR

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    LAPACK's pivoted QR of a sketch S A, of k + oversampling rows, chooses the columns;
    then A is factored without pivoting (Duersch and Gu, 2017; Martinsson, 2015). The
    columns are as good as those of ``scipy.linalg.qr(pivoting=True)`` up to a small
    factor.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> linalg.qr(np.diag([1.0, 3.0, 2.0]), 2, rng=0).error
    1.0
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite))
    if not isinstance(A, np.ndarray) or not A.size:
        raise ValueError(
            f"A must be a dense matrix that is not empty, got {type(A).__name__} of "
            f"shape {A.shape}"
        )
    m, n = A.shape
    k = min(m, n) if k is None else as_size("k", k)
    if k > min(m, n):
        raise ValueError(f"k must be at most {min(m, n)}, got {k}")
    rows = k + as_size("oversampling", oversampling, least=0)
    rng, small = as_generator(rng), A
    if rows < m:
        S = sparse(rows, m, rng=rng)
        small = (S @ A).astype(A.dtype, copy=False)
    options = {"mode": "r", "pivoting": True, "check_finite": False}
    pivots = scipy.linalg.qr(small, **options)[1]
    chosen = A[:, pivots]
    Q, first = np.linalg.qr(chosen[:, :k])
    rest = chosen[:, k:]
    beyond = Q.conj().T @ rest
    error = frobenius(rest - Q @ beyond)
    return PivotedQR(Q, np.hstack([first, beyond]), pivots, error)
