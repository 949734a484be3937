"""reduced_rank: the best linear map of given rank, in closed form (Theorem 1)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base.arguments import as_list, as_reals, as_size, common_dtype
from .projection import Subspace


class ReducedRank(NamedTuple):
    """A critical point of |A E D - Y|^2.

    Attributes
    ----------
    E : array, shape (l, k)
    D : array, shape (k, m)
        With orthonormal rows, and rows of zeros beyond the number of eigenvalues used.
    loss : float
        |A E D - Y|^2, squared Frobenius norm.
    eigenvalues : array, shape (r,)
        Of Sigma = Y^T P Y, P the projection onto the range of A, in descending order,
        without those that are zero because of its rank.
    """

    E: NDArray
    D: NDArray
    loss: float
    eigenvalues: NDArray


def reduced_rank(
    A: ArrayLike, Y: ArrayLike, k: int, *, subset: Iterable[int] | None = None
) -> ReducedRank:
    """Minimise |A E D - Y|^2 over E (l, k) and D (k, m), or find a critical point.

    Parameters
    ----------
    A : array, shape (d, l)
        Inputs of E, one sample a row; of any rank.
    Y : array, shape (d, m)
        Targets.
    k : int
        Maximum rank.
    subset : iterable of int, optional
        Indices of the eigenvalues of Sigma to use, at most k different ones; 0 is the
        largest. None: the k largest, for the global minimum. Any other choice is a
        saddle point, unless its eigenvalues equal the k largest.

    Returns
    -------
    ReducedRank

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    Samples are rows here, columns in the paper. For the eigenvectors V_I of Sigma that
    belong to the subset I, D = V_I^T and E = A^+ Y V_I, and the loss is
    |Y|^2 - sum of the eigenvalues in I. These are all critical points, up to E M,
    M^-1 D, and every local minimum is global: Theorem 1 of Ailon, Leibovich and Nair
    (2021), after Baldi and Hornik (1989). In statistics this is reduced-rank
    regression (Izenman, 1975).

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import reduced_rank
    >>> A = np.random.default_rng(0).standard_normal((50, 6))
    >>> result = reduced_rank(A, A @ np.diag([3, 2, 1, 0, 0, 0]), 2)
    >>> bool(np.isclose(result.loss, result.eigenvalues[2:].sum()))
    True
    """
    A, Y = as_reals("A", A), as_reals("Y", Y)
    dtype = common_dtype(np.float32, A, Y)
    A, Y = A.astype(dtype, copy=False), Y.astype(dtype, copy=False)
    for name, array in (("A", A), ("Y", Y)):
        if array.ndim != 2 or not array.size:
            raise ValueError(
                f"{name} must be a matrix with a sample a row, got shape {array.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, but holds a NaN or an infinity")
    if len(A) != len(Y):
        raise ValueError(f"Y must have as many rows as A, {len(A)}, got {len(Y)}")
    k, subset = as_size("k", k), None if subset is None else as_list("subset", subset)
    space = Subspace(A)
    N = space.Q.T @ Y
    left, s, Vt = np.linalg.svd(N, full_matrices=False)
    chosen = _chosen(subset, k, len(s))
    E, D = np.zeros((A.shape[1], k), dtype), np.zeros((k, Y.shape[1]), dtype)
    E[:, : len(chosen)] = space.solve(left[:, chosen] * s[chosen])
    D[: len(chosen)] = Vt[chosen]
    left_out = np.delete(s, chosen)
    loss = np.square(Y - space.Q @ N).sum() + np.square(left_out).sum()
    return ReducedRank(E, D, float(loss), s**2)


def _chosen(subset, k, count):
    """Indices of the eigenvalues to use."""
    if subset is None:
        return list(range(min(k, count)))
    chosen = [as_size(f"subset[{i}]", value, 0) for i, value in enumerate(subset)]
    if len(set(chosen)) != len(chosen) or len(chosen) > k:
        raise ValueError(
            f"subset must have at most k = {k} different indices, got {chosen}"
        )
    if chosen and max(chosen) >= count:
        raise ValueError(
            f"subset must lie in 0 ... {count - 1}: there are {count} eigenvalues, "
            f"got {max(chosen)}"
        )
    return chosen
