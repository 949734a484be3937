"""Sketches that are drawn at random, and the best one for given matrices."""

from collections.abc import Iterable

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike

from .. import transforms
from .._arrays import as_generator, as_list, as_real_dtype, as_size, dense
from ._matrices import as_matrices
from ._places import draw_places
from ._sketch import Sketch

DIRECT = 2048  # largest n for which all n directions are computed


def fjlt(
    l: int,
    n: int,
    *,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Sketch:
    """Draw a fast Johnson-Lindenstrauss transform as a sketch.

    Parameters
    ----------
    l, n : int
        Its shape, l <= n.
    dtype, rng
        As for `fastbutterfly.fjlt`.

    Returns
    -------
    Sketch
        S = sqrt(n'/l) times l random rows of a Hadamard transform of random signs;
        E |S x|^2 = |x|^2.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> sketch.fjlt(20, 1000, rng=0).shape
    (20, 1000)
    """
    shape = _as_shape(l, n)
    return Sketch(transforms.fjlt(*shape, dtype=dtype, rng=rng))


def gaussian(
    l: int,
    n: int,
    *,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Sketch:
    """Draw a Gaussian sketch, with entries N(0, 1/l).

    Parameters
    ----------
    l, n : int
        Its shape, l <= n.
    dtype : dtype
        float32 or float64.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Sketch
        E |S x|^2 = |x|^2.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> sketch.gaussian(20, 1000, rng=0).n_weights
    20000
    """
    shape, dtype = _as_shape(l, n), as_real_dtype(dtype)
    entries = as_generator(rng).standard_normal(shape) / np.sqrt(shape[0])
    return Sketch(entries.astype(dtype, copy=False))


def sparse(
    l: int,
    n: int,
    *,
    nonzeros: int | None = None,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Sketch:
    """Draw a sparse sign sketch: some non-zeros in each column.

    Parameters
    ----------
    l, n : int
        Its shape, l <= n.
    nonzeros : int
        In each column, at different places; at most l. None: 8, or l if that is less.
    dtype : dtype
        float32 or float64.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Sketch
        Non-zeros +-1/sqrt(nonzeros) at uniform places; E |S x|^2 = |x|^2.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    References
    ----------
    Kane and Nelson (2014), Sparser Johnson-Lindenstrauss transforms.

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> sketch.sparse(20, 1000, nonzeros=4, rng=0).n_weights
    4000
    """
    from scipy.sparse import csc_array  # slow to import

    (count, n), dtype, rng = _as_shape(l, n), as_real_dtype(dtype), as_generator(rng)
    nonzeros = min(8, count) if nonzeros is None else as_size("nonzeros", nonzeros)
    if nonzeros > count:
        raise ValueError(f"nonzeros must be at most l = {count}, got {nonzeros}")
    rows = draw_places(rng, n, count, nonzeros)
    signs = rng.choice(np.array([-1, 1], dtype), rows.size)
    values = signs / np.sqrt(dtype.type(nonzeros))
    ends = np.arange(0, rows.size + 1, nonzeros)
    return Sketch(csc_array((values, rows.ravel(), ends), shape=(count, n)))


def count_sketch(
    l: int,
    n: int,
    *,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Sketch:
    """Draw a count sketch: one non-zero, +1 or -1, in each column.

    Parameters
    ----------
    l, n, dtype, rng
        As for `sparse`, of which it is the case ``nonzeros=1``.

    Returns
    -------
    Sketch

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    References
    ----------
    Charikar, Chen and Farach-Colton (2002); Clarkson and Woodruff (2013).

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> sketch.count_sketch(20, 1000, rng=0).n_weights
    1000
    """
    return sparse(l, n, nonzeros=1, dtype=dtype, rng=rng)


def optimal(matrices: Iterable[ArrayLike], l: int) -> Sketch:
    """Return the l best directions for all matrices together, in closed form.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        Real and finite; sparse ones of SciPy too. One n, any d.
    l : int
        Rows, at most n.

    Returns
    -------
    Sketch
        Dense, (l, n), with orthonormal rows: the first l left singular vectors of the
        matrices side by side. A dense sketch that is trained comes close to it (Liu et
        al., 2023).

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
    count, n = _as_shape(l, matrices[0].shape[0])
    if n > DIRECT > count:
        vectors = _iterated(matrices, n, count)
    else:
        vectors = np.linalg.eigh(sum(map(_gram, matrices)))[1]
    return Sketch(np.ascontiguousarray(vectors[:, : -count - 1 : -1].T))


def _iterated(matrices, n, count):
    """Eigenvectors of the sum of X X^T that belong to its largest eigenvalues."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import

    def gram(v):
        return sum(X @ (X.T @ v) for X in matrices)

    operator = LinearOperator((n, n), matvec=gram, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    if not np.any(gram(start)):
        return np.eye(n, count)  # ARPACK does not take zero
    return eigsh(operator, count, v0=start)[1]


def _gram(X):
    """X X^T, dense and in double precision."""
    X = X.astype(np.float64, copy=False)
    return dense(X @ X.T)


def stack(*sketches: Sketch) -> Sketch:
    """Put sketches below each other.

    Below a learned one, a random one keeps its guarantee for every matrix: each error
    of the stack is at most that of its parts (Indyk, Vakilian and Yuan, 2019).

    Parameters
    ----------
    *sketches : Sketch
        Of the same width n.

    Returns
    -------
    Sketch
        Its rows are those of all; sparse if all are sparse, else dense.

    Raises
    ------
    ValueError, TypeError
        If there is none, or their widths differ.

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> a, b = (sketch.count_sketch(10, 64, rng=seed) for seed in range(2))
    >>> sketch.stack(a, b).shape
    (20, 64)
    """
    from scipy.sparse import issparse, vstack  # slow to import

    sketches = as_list("sketches", sketches)
    if not sketches:
        raise ValueError("sketches must hold at least one, got none")
    for S in sketches:
        if not isinstance(S, Sketch):
            raise TypeError(f"sketches must be Sketch objects, got {S!r}")
    if len({S.shape[1] for S in sketches}) != 1:
        widths = [S.shape[1] for S in sketches]
        raise ValueError(f"sketches must have the same width, got {widths}")
    operators = [S.operator for S in sketches]
    if all(map(issparse, operators)):
        return Sketch(vstack(operators, format="csc"))
    return Sketch(np.concatenate([S.to_dense() for S in sketches]))


def _as_shape(l, n):
    count, n = as_size("l", l), as_size("n", n)
    if count > n:
        raise ValueError(f"l must be at most n = {n}, got {count}")
    return count, n
