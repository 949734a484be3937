"""eigh and nystrom: the dominant eigenvalues of symmetric matrices by sketching."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_generator, as_size
from ...nn.arguments import as_flag
from ..arguments import as_operator
from .range_finder import RangeFinder, frobenius_norm


class Eigen(NamedTuple):
    """A, approximately, as V @ np.diag(w) @ V^H.

    Attributes
    ----------
    w : array, shape (k,)
        Eigenvalues, real, in order of decreasing absolute value.
    V : array, shape (n, k)
        Orthonormal eigenvectors.
    error : float
        Estimate of |A - V diag(w) V^H| in the Frobenius norm.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    w: NDArray
    V: NDArray
    error: float


def eigh(
    A: ArrayLike,
    k: int,
    *,
    oversampling: int = 10,
    power: int = 2,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> Eigen:
    """Find the k eigenvalues of largest absolute value of a Hermitian matrix.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (n, n)
        Real symmetric or Hermitian, which is not checked.
    k : int
        Number of eigenvalues, at most n.
    oversampling, power, check_finite, rng
        As for `rsvd`.

    Returns
    -------
    Eigen

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    The eigenvalues of Q (Q^H A Q) Q^H, with Q as for `rsvd` (Halko, Martinsson and
    Tropp, 2011, Section 5.3). ``scipy.sparse.linalg.eigsh`` computes them to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> linalg.eigh(np.diag([1.0, -5.0, 0.0, 3.0]), 2, rng=0).w.round(12)
    array([-5.,  3.])
    """
    (A, k), rng = _as_symmetric(A, k, check_finite), as_generator(rng)
    power = as_size("power", power, least=0)
    finder = RangeFinder(A, power, rng, symmetric=True)
    oversampling = as_size("oversampling", oversampling, least=0)
    finder.grow(min(k + oversampling, A.shape[0]))
    projected = finder.B @ finder.Q
    w, V = np.linalg.eigh((projected + projected.conj().T) / 2)
    largest = np.argsort(-np.abs(w), kind="stable")[:k]
    w, V = w[largest], finder.Q @ V[:, largest]
    return Eigen(w, V, finder.error(V, w, V.conj().T))


def nystrom(
    A: ArrayLike,
    k: int,
    *,
    oversampling: int = 10,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> Eigen:
    """Approximate a positive semidefinite matrix from one block of products with it.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (n, n)
        Symmetric or Hermitian and positive semidefinite, which is not checked.
    k : int
        Rank, at most n.
    oversampling, check_finite, rng
        As for `rsvd`.

    Returns
    -------
    Eigen
        All w are at least 0, and for A = 0 there is none; A minus the approximation is
        positive semidefinite, up to rounding.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    The Nystrom approximation (A G) (G^H A G)^+ (A G)^H for orthonormal random G, with a
    shift for stability, truncated (Tropp, Yurtsever, Udell and Cevher, 2017, Algorithm
    3). A is read once, and once more for the error estimate.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import linalg
    >>> x = np.arange(1.0, 6.0)
    >>> linalg.nystrom(np.outer(x, x), 1, rng=0).w.round(9)
    array([55.])
    """
    (A, k), rng = _as_symmetric(A, k, check_finite), as_generator(rng)
    oversampling = as_size("oversampling", oversampling, least=0)
    finder, n = RangeFinder(A, 0, rng), A.shape[0]
    G = np.linalg.qr(finder.gaussian((n, min(k + oversampling, n))))[0]
    Y = A @ G
    shift = np.finfo(Y.dtype).eps * frobenius_norm(Y)
    Y = Y + shift * G
    core = G.conj().T @ Y
    w, U = np.linalg.eigh((core + core.conj().T) / 2)
    keep = w > shift / 2
    F = Y @ (U[:, keep] / np.sqrt(w[keep]))
    V, s, _ = np.linalg.svd(F, full_matrices=False)
    w, V = np.maximum(s[:k] ** 2 - shift, 0), V[:, :k]
    return Eigen(w, V, finder.estimate_error(V, w, V.conj().T))


def _as_symmetric(A, k, check_finite):
    """A square matrix, and k as an int of at most its size."""
    A = as_operator("A", A, as_flag("check_finite", check_finite))
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"A must be square, got shape {A.shape}")
    k = as_size("k", k)
    if k > A.shape[0]:
        raise ValueError(f"k must be at most {A.shape[0]}, got {k}")
    return A, k
