"""ButterflyDense: butterfly, small dense core, transposed butterfly (the gadget)."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike

from ..._base.arguments import as_generator, as_real_dtype, as_size
from ...transforms.random import fjlt
from ..arguments import as_flag, as_matrix, as_optional_vector
from .butterfly_linear import ButterflyLinear, draw
from .dense import Dense
from .sequential import Sequential


class ButterflyDense(Sequential):
    """Replacement of a dense layer: y = J2^T W' J1 x + bias.

    Parameters
    ----------
    n_in, n_out : int
        Sizes.
    k_in, k_out : int, optional
        Size of the core, at most n_in and n_out; None: ceil(log2(n)), at least 1. The
        layer's rank is at most min(k_in, k_out): 10 for 1024 inputs and outputs.
    bias : bool
        Whether there is a bias; it starts at zero.
    rng : Generator, int or None
        Source of randomness.
    dtype : dtype
        float32 or float64.
    trainable : bool
        False: the butterflies J1 and J2 stay as they start; the core W' and the bias
        are still trained.

    Attributes
    ----------
    layers : tuple of Layer
        J1 as a `ButterflyLinear`, W' as a `Dense`, J2^T as a `ButterflyLinear`.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    The gadget of Ailon, Leibovich and Nair (2021), Section 4.2: J1 (k_in, n_in) and J2
    (k_out, n_out) are truncated butterflies that start as `fastbutterfly.fjlt`. W'
    starts uniform in +-1/sqrt(k_in). The paper prints no scale; here J1 is multiplied
    by sqrt(k_in/n_in), so that J1 and J2^T keep the mean square of the coordinates
    and the layer starts with outputs of mean square m/3 for inputs of mean square m,
    as `Dense` does.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> layer = nn.ButterflyDense(512, 512, rng=0)
    >>> layer.n_weights, nn.Dense(512, 512).n_weights
    (8445, 262656)
    """

    _kinds = ButterflyLinear, Dense, ButterflyLinear

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        k_in: int | None = None,
        k_out: int | None = None,
        bias: bool = True,
        rng: Generator | int | None = None,
        dtype: DTypeLike = np.float32,
        trainable: bool = True,
    ):
        n_in, n_out = as_size("n_in", n_in), as_size("n_out", n_out)
        k_in, k_out = _as_k("k_in", k_in, n_in), _as_k("k_out", k_out, n_out)
        dtype, rng = as_real_dtype(dtype), as_generator(rng)
        J1, J2 = _butterflies(n_in, n_out, k_in, k_out, rng)
        core = Dense(k_in, k_out, bias=False, rng=rng, dtype=dtype)
        bias = np.zeros(n_out) if as_flag("bias", bias) else None
        self._set_gadget(J1, core, J2, bias, trainable)

    @classmethod
    def from_dense(
        cls,
        W: ArrayLike,
        *,
        bias: ArrayLike | None = None,
        k_in: int | None = None,
        k_out: int | None = None,
        rng: Generator | int | None = None,
        dtype: DTypeLike | None = None,
        trainable: bool = True,
    ) -> "ButterflyDense":
        """Replace a trained dense layer.

        Parameters
        ----------
        W : array, shape (n_in, n_out)
            Weights of a layer x @ W.
        bias : array, shape (n_out,), optional
            None: no bias.
        dtype : dtype, optional
            float32 or float64; None: that of W, float64 for integers.
        k_in, k_out, rng, trainable
            As for `ButterflyDense`.

        Returns
        -------
        ButterflyDense

        Raises
        ------
        ValueError, TypeError
            If an argument is not as described.

        Notes
        -----
        As matrices, W' = J2 W J1^T. The layer is exact if k_in = n_in and k_out = n_out
        are powers of two. Otherwise it has rank min(k_in, k_out) and only the bilinear
        form is right on average, E u^T J2^T W' J1 v = u^T W v, with an error of order
        1/sqrt(k); expect to train it.

        Examples
        --------
        >>> from fastbutterfly import nn
        >>> W = np.arange(32.0).reshape(8, 4)
        >>> layer = nn.ButterflyDense.from_dense(W, k_in=8, k_out=4, rng=0)
        >>> bool(np.allclose(layer(np.eye(8)), W))
        True
        """
        W, dtype = as_matrix("W", W, dtype)
        n_in, n_out = W.shape
        k_in, k_out = _as_k("k_in", k_in, n_in), _as_k("k_out", k_out, n_out)
        bias = as_optional_vector("bias", bias, n_out)
        J1, J2 = _butterflies(n_in, n_out, k_in, k_out, as_generator(rng))
        # J1 holds a factor sqrt(k_in/n_in); the core undoes it twice.
        core = J2.apply(J1 @ W) * (n_in / k_in)
        layer = cls.__new__(cls)
        layer._set_gadget(
            J1, Dense._from_arrays(core, None, dtype), J2, bias, trainable
        )
        return layer

    def _set_gadget(self, J1, core, J2, bias, trainable):
        options = {"dtype": core.dtype, "trainable": as_flag("trainable", trainable)}
        first = ButterflyLinear.from_operator(J1, **options)
        last = ButterflyLinear.from_operator(J2.T, bias=bias, **options)
        self._set((first, core, last))

    def _fans(self):
        return sum(layer._fans() for layer in self.layers)

    def __repr__(self):
        first, core, last = self.layers
        tail = "" if last.bias is not None else ", bias=False"
        tail += "" if first.trainable else ", trainable=False"
        return (
            f"ButterflyDense({self.n_in}, {self.n_out}, k_in={core.n_in}, "
            f"k_out={core.n_out}{tail})"
        )


def _as_k(name, k, n):
    """Size of the core from 1 to n; ceil(log2(n)) by default."""
    if k is None:
        return max(1, (n - 1).bit_length())
    k = as_size(name, k)
    if k > n:
        raise ValueError(f"{name} must be at most {n}, the layer's size, got {k}")
    return k


def _butterflies(n_in, n_out, k_in, k_out, rng):
    return draw(n_in, k_in, "fjlt", rng), fjlt(k_out, n_out, rng=rng)
