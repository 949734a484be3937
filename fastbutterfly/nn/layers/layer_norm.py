"""LayerNorm: each sample gets mean 0 and variance 1, then a scale and a shift."""

import numpy as np
from numpy.typing import DTypeLike

from ..._base.arguments import as_real_dtype, as_size
from ..arguments import as_number, take
from .layer import Layer


class LayerNorm(Layer):
    """y = scale (x - mean(x)) / sqrt(var(x) + eps) + shift, sample by sample.

    Parameters
    ----------
    n : int
        Size.
    eps : float
        Positive; keeps constant samples finite.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    scale, shift : array, shape (n,)
        Start at 1 and 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    Ba, Kiros and Hinton (2016), arXiv 1607.06450; mean and variance are over the n
    elements of a sample. With z = (x - mean) / sqrt(var + eps) and h = scale g, the
    gradient of x is (h - mean(h) - z mean(h z)) / sqrt(var + eps).

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> nn.LayerNorm(4)([[1, 1, 3, 3]]).round(3)
    array([[-1., -1.,  1.,  1.]], dtype=float32)
    """

    def __init__(self, n: int, *, eps: float = 1e-5, dtype: DTypeLike = np.float32):
        n, dtype = as_size("n", n), as_real_dtype(dtype)
        self._set(np.ones(n), np.zeros(n), _as_eps(eps, dtype), dtype)

    def _set(self, scale, shift, eps, dtype):
        self.n_in = self.n_out = scale.size
        self.eps, self.dtype = eps, dtype
        self._own(scale=scale, shift=shift)
        self.n_weights = self.parameters.size

    def forward(self, x):
        """Return scale z + shift; z and 1 / sqrt(var + eps) are saved."""
        z = x - x.mean(axis=1, keepdims=True)
        variance = np.mean(z * z, axis=1, keepdims=True)
        factor = 1 / np.sqrt(variance + self.eps)
        z *= factor
        return z * self.scale + self.shift, (z, factor)

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Write the sums of g z and g; return the gradient of x, see Notes."""
        z, factor = saved
        gradient = self._views(gparameters)
        np.add.reduce(g * z, axis=0, out=gradient["scale"])
        np.add.reduce(g, axis=0, out=gradient["shift"])
        if not input_gradient:
            return None
        h = g * self.scale
        along = np.mean(h * z, axis=1, keepdims=True)
        h -= h.mean(axis=1, keepdims=True)
        h -= z * along
        h *= factor
        return h

    def _describe(self):
        return {"type": "LayerNorm", "n": self.n_in, "eps": self.eps}

    @classmethod
    def _restore(cls, description, reader):
        n = take("LayerNorm", description, "n", int)
        eps = _as_eps(take("LayerNorm", description, "eps", float), reader.dtype)
        layer = cls.__new__(cls)
        layer._set(reader.parameters(n), reader.parameters(n), eps, reader.dtype)
        return layer

    def __repr__(self):
        tail = "" if self.eps == 1e-5 else f", eps={self.eps}"
        return f"LayerNorm({self.n_in}{tail})"


def _as_eps(eps, dtype):
    eps = as_number("eps", eps)
    if not np.finfo(dtype).tiny <= eps <= np.finfo(dtype).max:
        raise ValueError(f"eps must be positive and finite in {dtype}, got {eps}")
    return eps
