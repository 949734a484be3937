"""Circulant and Toeplitz matrices as chains of Fourier transforms and a diagonal."""

import numpy as np
from numpy.typing import ArrayLike

from .._base import arguments
from ..operators import Butterfly, Chain, reordered, scaled
from .fourier import dft
from .random import next_power_of_two
from .real_fourier import real_dft


def circulant(c: ArrayLike) -> Chain:
    """Return the circulant matrix with the first column c.

    Parameters
    ----------
    c : array, shape (n,)
        float32, float64, complex64 or complex128; integers count as float64. Any n;
        fastest are powers of two.

    Returns
    -------
    Chain
        Of shape (n, n), of the dtype of c. For powers of two it has an inverse and a
        determinant; for other n it is a leading block of a larger one and has none.

    Raises
    ------
    ValueError, TypeError
        If the shape or dtype is not as described.

    Notes
    -----
    C = F^-1 diag(F c) F with the Fourier transform F; for real c in real arithmetic,
    with blocks of 2x2 for the frequencies k and n - k.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.circulant([0.0, 1.0, 0.0, 0.0]) @ [1, 2, 3, 4]
    array([4., 1., 2., 3.])
    """
    c = _vector("c", c)
    n = len(c)
    if n & (n - 1):
        return toeplitz(c, np.concatenate([c[:1], c[:0:-1]]))
    return _circulant(c, np.arange(n), np.arange(n))


def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> Chain:
    """Return the Toeplitz matrix with the first column c and the first row r.

    Parameters
    ----------
    c : array, shape (n_out,)
        float32, float64, complex64 or complex128; integers count as float64.
    r : array, shape (n_in,), optional
        r[0] is ignored; None: the conjugate of c, as `scipy.linalg.toeplitz`.

    Returns
    -------
    Chain
        Of shape (n_out, n_in), of the common dtype.

    Raises
    ------
    ValueError, TypeError
        If a shape or dtype is not as described.

    Notes
    -----
    The leading block of a circulant matrix whose size is the next power of two from
    n_out + n_in - 1.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.toeplitz([1.0, 2.0, 3.0], [1.0, 5.0]).to_dense().round(12)
    array([[1., 5.],
           [2., 1.],
           [3., 2.]])
    """
    c = _vector("c", c)
    r = c.conj() if r is None else _vector("r", r)
    dtype = np.result_type(c, r)
    n = next_power_of_two(len(c) + len(r) - 1)
    column = np.zeros(n, dtype)
    column[: len(c)] = c
    if len(r) > 1:
        column[1 - len(r) :] = r[:0:-1]
    return _circulant(column, np.arange(len(r)), np.arange(len(c)))


def _vector(name, values):
    values = arguments.as_numbers(name, values)
    if values.ndim != 1 or not len(values):
        raise ValueError(
            f"{name} must be a vector of at least one number, got shape {values.shape}"
        )
    return values.astype(arguments.common_dtype(np.float32, values), copy=False)


def _circulant(c, inputs, outputs):
    """The rows `outputs` and columns `inputs` of a power-of-two circulant matrix."""
    n, spectrum = len(c), np.fft.fft(c)
    if n == 1:
        return Chain([Butterfly.from_blocks([c.reshape(1, 1, 1)], [(1, 1, 1, 1)])])
    if c.dtype.kind == "c":
        first = scaled(dft(n, dtype=c.dtype), outputs=spectrum.astype(c.dtype))
        chain = Chain([dft(n, inverse=True, dtype=c.dtype), first])
    else:
        Q, half = real_dft(n, c.dtype), spectrum[: n // 2]
        turns = np.stack([half.real, -half.imag, half.imag, half.real], axis=-1)
        turns[0, 3] = spectrum[n // 2].real
        turns = turns.reshape(-1, 2, 2).astype(c.dtype)
        middle = Butterfly.from_blocks([turns], [(n // 2, 2, 2, 1)])
        chain = Chain([Q.T, middle, Q])
    return reordered(chain, inputs=inputs, outputs=outputs)
