"""The discrete Fourier transform as a butterfly."""

import numpy as np
from numpy.typing import DTypeLike

from .._base import arguments
from .._base.permutations import digit_reversal
from .._plans import patterns
from ..operators import Butterfly

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
        As for `scipy.fft.fft`: "backward" scales the inverse by 1/n, "forward" the
        transform by 1/n, "ortho" both by 1/sqrt(n).
    dtype : dtype
        complex64 or complex128.

    Returns
    -------
    Butterfly
        Of increasing strides, with inputs in digit-reversed order (for a power of two
        bit-reversed).

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
        layer = r**-power * _unit_roots(turns, sign)
        blocks.append(np.tile(layer, (n // (r * d), 1, 1)).astype(dtype))
        d *= r
    if not radices:
        return Butterfly(np.ones((0, 0, 2, 2), dtype))
    pattern, inputs = patterns.mixed(radices), digit_reversal(radices)
    return Butterfly.from_blocks(blocks, pattern, inputs=inputs)


def _unit_roots(turns, sign):
    """exp(sign * 2 pi i turns), with exact zeros and ones at the quarter turns."""
    roots = np.exp(sign * 2j * np.pi * turns)
    quarters = np.round(4 * turns)
    exact = quarters == 4 * turns
    roots[exact] = np.array([1, sign * 1j, -1, -sign * 1j])[
        quarters[exact].astype(int) % 4
    ]
    return roots
