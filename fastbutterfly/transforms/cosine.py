"""Discrete cosine and sine transforms as chains of butterflies."""

import numpy as np
from numpy.typing import DTypeLike

from .._base import arguments
from ..operators import Chain, reordered, scaled
from .real_fourier import cosine_four, cosine_two

TYPES = {2: "II", 3: "III", 4: "IV"}
NORMS = {"backward": 1.0, "ortho": None, "forward": 0.0}  # scale: (2 n)**(this - 1/2)


def dct(
    n: int,
    *,
    type: int = 2,
    norm: str = "backward",
    dtype: DTypeLike = np.float64,
) -> Chain:
    """Return a discrete cosine transform.

    Parameters
    ----------
    n : int
        Size, a power of two.
    type : {2, 3, 4}
        Type II, III or IV.
    norm : {"backward", "ortho", "forward"}
        As for `scipy.fft.dct`: "backward" is not normalised, "ortho" is orthogonal,
        "forward" divides by 2 n.
    dtype : dtype
        float32 or float64.

    Returns
    -------
    Chain
        Of shape (n, n), equal to ``scipy.fft.dct(x, type, norm=norm)``.

    Raises
    ------
    ValueError, TypeError
        If n is no power of two or an option is unknown.

    Notes
    -----
    Orthonormal: y_k = sqrt(2/n) sum over j of cos(pi k (2 j + 1) / (2 n)) x_j, divided
    by sqrt(2) for k = 0 (II); its transpose (III); sqrt(2/n) sum over j of
    cos(pi (2 k + 1) (2 j + 1) / (4 n)) x_j (IV). Computed as a real Fourier transform
    (Makhoul, 1980) in about 4 n log2(n) multiply-adds; a single butterfly of 2x2 blocks
    cannot represent it, for submatrices of it have too high a rank.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> (fb.dct(4) @ [1, 1, 1, 1]).round(12) + 0
    array([8., 0., 0., 0.])
    """
    n = arguments.as_power_of_two("n", n, "scipy.fft has other sizes")
    dtype = arguments.as_real_dtype(dtype)
    arguments.as_choice("type", type, TYPES)
    if type == 3:
        chain = cosine_two(n, dtype).T
    else:
        chain = cosine_two(n, dtype) if type == 2 else cosine_four(n, dtype)
    return _normalised(chain, type, norm, 0)


def dst(
    n: int,
    *,
    type: int = 2,
    norm: str = "backward",
    dtype: DTypeLike = np.float64,
) -> Chain:
    """Return a discrete sine transform.

    Parameters
    ----------
    n, type, norm, dtype
        As for `dct`.

    Returns
    -------
    Chain
        Of shape (n, n), equal to ``scipy.fft.dst(x, type, norm=norm)``.

    Raises
    ------
    ValueError, TypeError
        If n is no power of two or an option is unknown.

    Notes
    -----
    The cosine transform of the same type with the sign of every second input (II) or
    output (III, IV) changed, and with outputs (II) or inputs (III, IV) reversed.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> (fb.dst(4) @ [1, -1, 1, -1]).round(12) + 0
    array([0., 0., 0., 8.])
    """
    n = arguments.as_power_of_two("n", n, "scipy.fft has other sizes")
    dtype = arguments.as_real_dtype(dtype)
    arguments.as_choice("type", type, TYPES)
    signs, backwards = (-1.0) ** np.arange(n), np.arange(n)[::-1]
    signs = signs.astype(dtype)
    if type == 4:
        chain = reordered(cosine_four(n, dtype), inputs=backwards)
        return _normalised(scaled(chain, outputs=signs), type, norm, 0)
    type_two = reordered(scaled(cosine_two(n, dtype), inputs=signs), outputs=backwards)
    return _normalised(type_two if type == 2 else type_two.T, type, norm, n - 1)


def _normalised(chain, type, norm, constant):
    """The chain with SciPy's norm in place of the orthonormal one.

    The orthonormal transform has 1/sqrt(2) in the row (II) or column (III) `constant`;
    SciPy's other norms do not.
    """
    power = arguments.as_choice("norm", norm, NORMS)
    if power is None:
        return chain
    n = chain.shape[0]
    scale = np.full(n, np.sqrt(2 * n) * (2 * n) ** (power - 1), chain.dtype)
    if type == 2:
        scale[constant] *= np.sqrt(2)
        return scaled(chain, outputs=scale)
    if type == 3:
        scale[constant] /= np.sqrt(2)
    return scaled(chain, inputs=scale)
