"""qr: QR with column pivoting, the pivots chosen from a sketch."""

from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_size
from ...nn.arguments import as_flag
from ...sketch import sparse
from ..arguments import as_operator
from .range_finder import frobenius_norm


class PivotedQR(NamedTuple):
    """A[:, pivots] = Q @ R, approximately if k is below the rank of A.

    Attributes
    ----------
    Q : array, shape (m, k)
        Orthonormal columns, which span the columns of A at the first k pivots.
    R : array, shape (k, n)
        Its first k columns are upper triangular.
    pivots : array of int, shape (n,)
        Indices of the columns of A, in order of choice.
    error : float
        |A[:, pivots] - Q R| in the Frobenius norm.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

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
    """Factor A with its k most independent columns moved to the front.

    Parameters
    ----------
    A : array, shape (m, n)
        Real or complex.
    k : int, optional
        Number of columns to choose, at most min(m, n); None: min(m, n).
    oversampling : int
        Rows of the sketch, from which they are chosen, beyond k.
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
    rng, sketched = as_generator(rng), A
    if rows < m:
        S = sparse(rows, m, rng=rng)
        sketched = (S @ A).astype(A.dtype, copy=False)
    options = {"mode": "r", "pivoting": True, "check_finite": False}
    pivots = scipy.linalg.qr(sketched, **options)[1]
    permuted = A[:, pivots]
    Q, R_chosen = np.linalg.qr(permuted[:, :k])
    others = permuted[:, k:]
    R_others = Q.conj().T @ others
    error = frobenius_norm(others - Q @ R_others)
    return PivotedQR(Q, np.hstack([R_chosen, R_others]), pivots, error)
