"""Fourier: the discrete Fourier transform, circulant and Toeplitz matrices."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .._base import arguments
from .._base.permutations import digit_reversal
from .._plans import patterns
from ..operators.butterfly import Butterfly
from ..operators.operator import Chain
from ..operators.rescale import reordered, scaled
from .random import next_power_of_two
from .real_fourier import real_dft

COMPLEX = {"complex64": np.dtype(np.complex64), "complex128": np.dtype(np.complex128)}
NORMS = {"backward": (0, 1), "ortho": (0.5, 0.5), "forward": (1, 0)}


def dft(
    n: int,
    *,
    inverse: bool = False,
    norm: str = "backward",
    dtype: DTypeLike = np.complex128,
) -> Butterfly:
    """Return the discrete Fourier transform as a butterfly.

    Parameters
    ----------
    n : int
        Size, without a prime factor above 128.
    inverse : bool
        The inverse transform, `scipy.fft.ifft`.
    norm : {"backward", "ortho", "forward"}
        As for `scipy.fft.fft`: where 1/n stands; "ortho": 1/sqrt(n) both ways.
    dtype : dtype
        complex64 or complex128.

    Returns
    -------
    Butterfly
        Of increasing strides; the digits of its inputs' numbers are reversed, for a
        power of two the bits.

    Raises
    ------
    ValueError, TypeError
        If n has a larger prime factor, or an option is unknown.

    Notes
    -----
    y_k = sum over j of exp(-2 pi i j k / n) x_j, by decimation in time: in the layer of
    stride d the k-th block, r x r, has exp(-2 pi i p (k + d q) / (r d)) in row q and
    column p (Cooley and Tukey, 1965).

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.dft(4) @ [0, 1, 0, 0]
    array([ 1.+0.j,  0.-1.j, -1.+0.j,  0.+1.j])
    """
    n = arguments.as_size("n", n)
    dtype = arguments.as_dtype(dtype, COMPLEX)
    power = arguments.as_choice("norm", norm, NORMS)[bool(inverse)]
    sign = 1 if inverse else -1
    radices, d, blocks = patterns.as_radices(None, n), 1, []
    for r in radices:
        p, q, k = np.arange(r), np.arange(r)[:, np.newaxis], np.arange(d)
        turns = p * (k[:, np.newaxis, np.newaxis] + d * q) % (r * d) / (r * d)
        layer = r**-power * _exactly(turns, sign)
        blocks.append(np.tile(layer, (n // (r * d), 1, 1)).astype(dtype))
        d *= r
    if not radices:
        return Butterfly(np.ones((0, 0, 2, 2), dtype))
    pattern, inputs = patterns.mixed(radices), digit_reversal(radices)
    return Butterfly.from_blocks(blocks, pattern, inputs=inputs)


def _exactly(turns, sign):
    """exp(sign * 2 pi i turns), with exact zeros and ones at the quarter turns."""
    found = np.exp(sign * 2j * np.pi * turns)
    quarters = np.round(4 * turns)
    exact = quarters == 4 * turns
    found[exact] = np.array([1, sign * 1j, -1, -sign * 1j])[
        quarters[exact].astype(int) % 4
    ]
    return found


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
        Of shape (n, n), of the dtype of c. It has an inverse and a determinant for
        powers of two; else it is a corner of a larger one.

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
    A corner of a circulant matrix whose size is the next power of two from n_out + n_in
    - 1.

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
    """These columns and rows of the circulant matrix of a power of two."""
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
