"""Truncated butterflies drawn at random, and a bound on their effective weights."""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import DTypeLike

from .._base import arguments
from ..operators import Butterfly


def truncated(
    n_out: int,
    n_in: int,
    *,
    init: str = "fjlt",
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Butterfly:
    """Draw a truncated butterfly: n_out random outputs of a butterfly are kept.

    Parameters
    ----------
    n_out, n_in : int
        Any sizes with 1 <= n_out <= n_in.
    init, dtype
        As for `Butterfly.random`.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Butterfly
        Of shape (n_out, n_in). Its outputs are drawn without replacement, sorted, and
        fixed; `T` is its transpose, for n_out >= n_in.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    J = sqrt(n'/n_out) S B P, where n' is the next power of two from n_in, P appends
    zeros, B is ``Butterfly.random(n', init=init)`` and S keeps n_out coordinates
    (Ailon, Leibovich and Nair, 2021, Section 4). The scale keeps the expected squared
    norm: E |J x|^2 = |x|^2.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> J = fb.truncated(3, 10, rng=0)
    >>> J.shape, J.T.shape
    ((3, 10), (10, 3))
    """
    n_in = arguments.as_size("n_in", n_in)
    n_out = arguments.as_size("n_out", n_out)
    if n_out > n_in:
        raise ValueError(
            f"n_out must be at most n_in = {n_in}, got {n_out}; "
            f"for more outputs than inputs use truncated({n_in}, {n_out}).T"
        )
    rng = arguments.as_generator(rng)
    n = next_power_of_two(n_in)
    B = Butterfly.random(n, init=init, dtype=dtype, rng=rng)
    weights = B.weights.copy()
    weights[-1:] *= B.dtype.type(math.sqrt(n / n_out))
    outputs = np.sort(rng.choice(n, n_out, replace=False))
    return Butterfly(weights, inputs=np.arange(n_in), outputs=outputs)


def fjlt(
    n_out: int,
    n_in: int,
    *,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> Butterfly:
    """Draw a fast Johnson-Lindenstrauss transform.

    Parameters
    ----------
    n_out, n_in : int
        Any sizes with 1 <= n_out <= n_in.
    dtype : dtype
        float32, float64, complex64 or complex128.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Butterfly
        Of shape (n_out, n_in).

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    J = sqrt(n'/n_out) S H D: random signs D, orthonormal Hadamard H of size n', the
    next power of two, n_out random coordinates S (Ailon and Chazelle, 2009; Ailon and
    Liberty, 2009). E |J x|^2 = |x|^2; J J^T = (n'/n_out) I when n_in = n'.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> J = fb.fjlt(64, 1024, rng=0)
    >>> bool(np.allclose(J @ J.T.to_dense(), 16 * np.eye(64)))
    True
    """
    return truncated(n_out, n_in, init="fjlt", dtype=dtype, rng=rng)


def weights_bound(n_out: int, n_in: int) -> int:
    """Bound on the effective weights of a truncated butterfly.

    Parameters
    ----------
    n_out, n_in : int
        As for `truncated`.

    Returns
    -------
    int
        The smaller of 2 n log2(n) and floor(2 n log2(n_out) + 6 n), with n the next
        power of two from n_in (Ailon, Leibovich and Nair, 2021, Appendix F).

    Raises
    ------
    ValueError, TypeError
        If a size is not a positive int or n_out > n.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.weights_bound(10, 1024), fb.truncated(10, 1024, rng=0).n_weights
    (12947, 7852)
    """
    n = next_power_of_two(arguments.as_size("n_in", n_in))
    n_out = arguments.as_size("n_out", n_out)
    if n_out > n:
        raise ValueError(f"n_out must be at most {n}, got {n_out}")
    return min(2 * n * (n.bit_length() - 1), int(2 * n * math.log2(n_out) + 6 * n))


def next_power_of_two(n: int) -> int:
    """Return the smallest power of two that is at least n."""
    return 1 << (n - 1).bit_length()
