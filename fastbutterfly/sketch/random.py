"""Sketches drawn at random, and stacks of sketches."""

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from .. import transforms
from .._base.arguments import as_generator, as_list, as_real_dtype, as_size
from ..operators import Butterfly
from .product import Product
from .sketch import Sketch
from .sparsity import draw_subsets


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
    shape = as_shape(l, n)
    return Sketch(transforms.fjlt(*shape, dtype=dtype, rng=rng))


def sparse_rtt(
    l: int,
    n: int,
    *,
    nonzeros: int | None = None,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Sketch:
    """Draw a SparseRTT: random signs, a Hadamard transform, a sparse selection.

    Each row sums some coordinates of the transform with random signs, where a row of
    the `fjlt` keeps one. So it embeds subspaces on which the `fjlt` fails, such as that
    of the first 64 unit vectors with 128 rows.

    Parameters
    ----------
    l, n : int
        Its shape, l <= n.
    nonzeros : int
        Coordinates of the transform in each row; at most n', the next power of two from
        n. None: 4, or n' if that is less. 1: rows of the transform, drawn with
        replacement.
    dtype : dtype
        float32 or float64.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Sketch
        S = sqrt(n'/(l nonzeros)) C H D with random signs D, the orthonormal Hadamard
        transform H of size n', and non-zeros +-1 in C (l, n'); E |S x|^2 = |x|^2.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    References
    ----------
    Camano, Epperly, Meyer and Tropp (2025), Faster linear algebra algorithms with
    structured random matrices, arXiv 2508.21189.

    Examples
    --------
    >>> from fastbutterfly import sketch
    >>> sketch.sparse_rtt(20, 1000, rng=0).shape
    (20, 1000)
    """
    from scipy.sparse import csr_array  # slow to import

    (count, n), dtype, rng = as_shape(l, n), as_real_dtype(dtype), as_generator(rng)
    size = transforms.next_power_of_two(n)
    nonzeros = min(4, size) if nonzeros is None else as_size("nonzeros", nonzeros)
    if nonzeros > size:
        raise ValueError(f"nonzeros must be at most {size}, got {nonzeros}")
    B = Butterfly.random(size, init="fjlt", dtype=dtype, rng=rng)
    coordinates = draw_subsets(rng, count, size, nonzeros)
    # Only the coordinates that some row uses are computed.
    kept, columns = np.unique(coordinates.ravel(), return_inverse=True)
    B = Butterfly(B.weights, inputs=np.arange(n), outputs=kept)
    values = rng.choice(np.array([-1, 1], dtype), columns.size)
    values *= dtype.type(np.sqrt(size / (count * nonzeros)))
    row_starts = np.arange(0, columns.size + 1, nonzeros)
    C = csr_array((values, columns, row_starts), shape=(count, len(kept)))
    return Sketch(Product(C, B))


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
    shape, dtype = as_shape(l, n), as_real_dtype(dtype)
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
        In each column, in different rows; at most l. None: 8, or l if that is less.
    dtype : dtype
        float32 or float64.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Sketch
        Non-zeros +-1/sqrt(nonzeros) in uniformly drawn rows; E |S x|^2 = |x|^2.

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

    (count, n), dtype, rng = as_shape(l, n), as_real_dtype(dtype), as_generator(rng)
    nonzeros = min(8, count) if nonzeros is None else as_size("nonzeros", nonzeros)
    if nonzeros > count:
        raise ValueError(f"nonzeros must be at most l = {count}, got {nonzeros}")
    rows = draw_subsets(rng, n, count, nonzeros)
    signs = rng.choice(np.array([-1, 1], dtype), rows.size)
    values = signs / np.sqrt(dtype.type(nonzeros))
    column_starts = np.arange(0, rows.size + 1, nonzeros)
    return Sketch(csc_array((values, rows.ravel(), column_starts), shape=(count, n)))


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
        As for `sparse`, whose special case ``nonzeros=1`` this is.

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


def stack(*sketches: Sketch) -> Sketch:
    """Stack sketches, the rows of each below those of the one before.

    A random sketch below a learned one keeps its guarantee for every matrix: the error
    of the stack is at most that of each of its sketches (Indyk, Vakilian and Yuan,
    2019).

    Parameters
    ----------
    *sketches : Sketch
        Of the same width n.

    Returns
    -------
    Sketch
        Sparse if all of them are sparse, else dense.

    Raises
    ------
    ValueError, TypeError
        If there is no sketch, or their widths differ.

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


def as_shape(l, n):
    """The shape of a sketch, as ints."""
    count, n = as_size("l", l), as_size("n", n)
    if count > n:
        raise ValueError(f"l must be at most n = {n}, got {count}")
    return count, n
