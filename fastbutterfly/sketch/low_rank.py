"""Low-rank approximation from a sketch, and its error."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base.arguments import as_choice, as_reals, as_size, dense
from ..approximation import Subspace
from .arguments import as_mapped, as_matrices
from .sketch import Sketch, times


class LowRank(NamedTuple):
    """Approximation U @ np.diag(s) @ Vt of X; shapes (n, k), (k,) and (k, d)."""

    U: NDArray
    s: NDArray
    Vt: NDArray


def low_rank(X: ArrayLike, S: Sketch, k: int) -> LowRank:
    """Approximate X by the best matrix of rank k in the row space of S @ X.

    Parameters
    ----------
    X : array, shape (n, d)
        Real and finite; also a sparse matrix of SciPy, or a `numpy.memmap`, which is
        read twice, some rows at a time.
    S : Sketch, shape (l, n)
        Or any operator (l, n) for which ``S @ X`` is an array, or sparse.
    k : int
        Rank, an upper bound: S X may have a smaller one.

    Returns
    -------
    LowRank
        Singular value decomposition of the approximation, U with orthonormal columns.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    Algorithm 1 of Ailon, Leibovich and Nair (2021), after Sarlos (2006) and Clarkson
    and Woodruff (2009): with V an orthonormal basis of the rows of S X, [X V]_k V^T.
    V is of their rank: empty or repeated rows of S X do no harm.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> X = np.outer(np.arange(100.0), np.arange(50.0))
    >>> U, s, Vt = sketch.low_rank(X, sketch.fjlt(5, 100, rng=0), 1)
    >>> bool(np.allclose(U * s @ Vt, X))
    True
    """
    X, k = _as_input(X, S), as_size("k", k)
    Q = _basis(X, S)
    left, s, right = np.linalg.svd(times(X, Q), full_matrices=False)
    return LowRank(left[:, :k], s[:k], right[:k] @ Q.T)


# Excess from the squared errors of an approximation and of the best one.
METRICS = {
    "squared": lambda error, best: np.maximum(error - best, 0),
    "norm": lambda error, best: np.sqrt(error) - np.sqrt(best),
    "relative": lambda error, best: (np.sqrt(error) - np.sqrt(best)) / np.sqrt(best),
}


def excess(
    matrices: Iterable[ArrayLike],
    S: Sketch,
    k: int,
    *,
    metric: str = "squared",
    best: ArrayLike | None = None,
) -> float:
    """Return by how much the errors of `low_rank` exceed the best ones, on average.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        As for `optimal`.
    S : Sketch, shape (l, n)
    k : int
        Rank.
    metric : {"squared", "norm", "relative"}
        With e the Frobenius norm of the error, e_k that of the best approximation of
        rank k: the mean of e^2 - e_k^2 (as the paper defines it), of e - e_k (as the
        paper's program computes it), or of (e - e_k) / e_k (as later papers do;
        meaningless for a matrix of rank k, whose e_k is rounding error).
    best : array, optional
        Result of `best_errors(matrices, k)` if it is known; None: it is computed.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> X = np.random.default_rng(0).standard_normal((20, 30))
    >>> abs(sketch.excess(X, sketch.optimal(X, 3), 3)) < 1e-12
    True
    """
    combine = as_choice("metric", metric, METRICS)
    matrices, k = as_matrices("matrices", matrices), as_size("k", k)
    if best is None:
        best = best_errors(matrices, k)
    best = as_reals("best", best)
    if best.shape != (len(matrices),):
        raise ValueError(
            f"best must have one error for each of {len(matrices)} matrices, "
            f"got shape {best.shape}"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(combine(errors(matrices, S, k), best)))


def errors(matrices: Iterable[ArrayLike], S: Sketch, k: int) -> NDArray:
    """Return the squared error of the approximation `low_rank` of each matrix.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        As for `optimal`.
    S : Sketch, shape (l, n)
    k : int
        Rank.

    Returns
    -------
    array, shape (number of matrices,)
        |X - B_k(X)|^2 in the Frobenius norm.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> X = np.diag([1.0, 3.0, 2.0])
    >>> sketch.errors(X, sketch.optimal(X, 1), 1)
    array([5.])
    """
    matrices, k = as_matrices("matrices", matrices), as_size("k", k)
    return np.array([_error(_as_input(X, S), S, k) for X in matrices])


def best_errors(matrices: Iterable[ArrayLike], k: int) -> NDArray:
    """Return the squared error of the best approximation of rank k of each matrix.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        As for `optimal`.
    k : int
        Rank.

    Returns
    -------
    array, shape (number of matrices,)
        Sums of the squared singular values beyond the k largest: for one matrix the
        error of PCA, Delta_k in the paper.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> sketch.best_errors(np.diag([1.0, 3.0, 2.0]), 1)
    array([5.])
    """
    matrices, k = as_matrices("matrices", matrices), as_size("k", k)
    doubles = (dense(X).astype(np.float64, copy=False) for X in matrices)
    tails = (np.linalg.svd(X, compute_uv=False)[k:] for X in doubles)
    return np.array([np.square(s).sum() for s in tails])


def _error(X, S, k):
    """Squared error of `low_rank`."""
    Q = _basis(X, S)
    XQ = X @ Q
    s = np.linalg.svd(XQ, compute_uv=False)
    outside = np.square(dense(X) - XQ @ Q.T).sum()  # of the row space of S X
    return outside + np.square(s[k:]).sum()


def _basis(X, S):
    """Orthonormal columns that span the row space of S X."""
    A = np.asarray(dense(S @ X)).T
    if not np.isfinite(A).all():
        raise ValueError("S @ X must be finite, but holds a NaN or an infinity")
    return Subspace(A).Q


def _as_input(X, S):
    X = as_mapped("X", X)
    shape = getattr(S, "shape", ())
    if len(shape) != 2 or shape[1] != X.shape[0]:
        raise ValueError(
            f"S must have shape (l, {X.shape[0]}) for X of shape {X.shape}, "
            f"got {shape or type(S).__name__}"
        )
    return X
