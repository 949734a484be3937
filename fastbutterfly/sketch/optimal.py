"""optimal: the sketch that is best for given matrices, in closed form."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from .._base.arguments import dense
from .arguments import as_matrices
from .random import as_shape
from .sketch import Sketch

DIRECT = 2048  # largest n for which all n eigenvectors are computed: X X^T is n x n


def optimal(matrices: Iterable[ArrayLike], l: int) -> Sketch:
    """Return the l best directions for all matrices together, in closed form.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        Real and finite, dense or sparse matrices of SciPy, with the same n and any d.
    l : int
        Rows, at most n.

    Returns
    -------
    Sketch
        Dense, (l, n), with orthonormal rows: the first l left singular vectors of the
        matrices side by side. A trained dense sketch comes close to it (Liu et al.,
        2023).

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> abs(sketch.optimal(np.diag([1.0, 3.0, 2.0]), 1).to_dense())
    array([[0., 1., 0.]])
    """
    matrices = as_matrices("matrices", matrices)
    count, n = as_shape(l, matrices[0].shape[0])
    if n > DIRECT > count:
        vectors = _leading_eigenvectors(matrices, n, count)
    else:
        vectors = np.linalg.eigh(sum(map(_gram, matrices)))[1]
    return Sketch(np.ascontiguousarray(vectors[:, : -count - 1 : -1].T))


def _leading_eigenvectors(matrices, n, count):
    """Eigenvectors of the largest eigenvalues of the sum of X X^T, never formed."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import

    def gram(v):
        return sum(X @ (X.T @ v) for X in matrices)

    operator = LinearOperator((n, n), matvec=gram, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    if not np.any(gram(start)):
        return np.eye(n, count)  # ARPACK fails on the zero matrix
    return eigsh(operator, count, v0=start)[1]


def _gram(X):
    """X X^T, dense and in double precision."""
    X = X.astype(np.float64, copy=False)
    return dense(X @ X.T)
