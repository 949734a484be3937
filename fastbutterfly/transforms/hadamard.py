"""The orthonormal Hadamard matrix and the identity as butterflies."""

import numpy as np
from numpy.typing import DTypeLike

from .._base import arguments
from .._base.permutations import HADAMARD
from ..operators import Butterfly, hadamard_weights


def identity(n: int, *, dtype: DTypeLike = np.float64) -> Butterfly:
    """Return the identity as a butterfly.

    Parameters
    ----------
    n : int
        Size, without a prime factor above 128.
    dtype : dtype
        float32, float64, complex64 or complex128.

    Returns
    -------
    Butterfly

    Raises
    ------
    ValueError, TypeError
        If n has a larger prime factor, or the dtype is unknown.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.identity(4) @ [1, 2, 3, 4]
    array([1., 2., 3., 4.])
    """
    return Butterfly.random(n, init="identity", dtype=dtype)


def hadamard(
    n: int, *, order: str = "natural", dtype: DTypeLike = np.float64
) -> Butterfly:
    """Return the orthonormal Hadamard matrix as a butterfly of size n, a power of two.

    Parameters
    ----------
    n : int
        Size, a power of two.
    order : {"natural", "sequency", "dyadic"}
        Of the rows: as ``scipy.linalg.hadamard(n) / sqrt(n)`` has them; by their number
        of sign changes (Walsh); by the bit-reversed index (Paley).
    dtype : dtype
        float32, float64, complex64 or complex128.

    Returns
    -------
    Butterfly

    Raises
    ------
    ValueError, TypeError
        If n is no power of two or an option is unknown.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.hadamard(4) @ [1, 0, 0, 0]
    array([0.5, 0.5, 0.5, 0.5])
    """
    n = arguments.as_power_of_two("n", n)
    kept = arguments.as_choice("order", order, HADAMARD)(n)
    weights = hadamard_weights(n, n.bit_length() - 1)
    return Butterfly(weights.astype(arguments.as_dtype(dtype)), outputs=kept)
