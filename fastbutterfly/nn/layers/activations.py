"""Activations: elementwise layers without parameters, for any width."""

import numpy as np

from ..._kernels import elementwise
from .layer import Layer

BOUND = 50.0  # the normal density and the lower tail underflow here, in float64 too


class Activation(Layer):
    """Base: a subclass has `_value`, (output, saved), and `_derivative` of saved."""

    def forward(self, x):
        """Return the value at each element of x; save what the derivative needs."""
        return self._value(x)

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Return g times the derivative."""
        return g * self._derivative(saved) if input_gradient else None

    def _describe(self):
        return {"type": type(self).__name__}

    @classmethod
    def _restore(cls, description, reader):
        return cls()

    def __repr__(self):
        return f"{type(self).__name__}()"


class ReLU(Activation):
    """y = max(x, 0), for any width.

    Notes
    -----
    The derivative at 0 is taken as 0; NaN stays NaN.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> nn.ReLU()([[-1.0, 2.0]])
    array([[0., 2.]])
    """

    def forward(self, x):
        """Return max(x, 0), which is saved."""
        y = np.empty(x.shape, x.dtype)
        elementwise.relu(_read_only(x), y.ravel())
        return y, y

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Return g where the output is positive, else 0."""
        if not input_gradient:
            return None
        gx = np.empty(g.shape, g.dtype)
        elementwise.relu_back(_read_only(saved), _read_only(g), gx.ravel())
        return gx


def _read_only(x):
    """The elements of x, flat: a read-only view where that is possible."""
    flat = x.ravel()
    flat.setflags(False)
    return flat


class GELU(Activation):
    """y = x Phi(x), Phi the normal distribution function, for any width.

    Notes
    -----
    Phi(x) = (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016, arXiv 1606.08415),
    not its approximation by tanh, and evaluated so that the lower tail keeps its
    digits. The derivative is Phi(x) + x phi(x), phi the normal density. At -inf the
    value is the limit 0; NaN stays NaN.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> nn.GELU()([[-1.0, 0.0, 2.0]]).round(4)
    array([[-0.1587,  0.    ,  1.9545]])
    """

    def _value(self, x):
        from scipy.special import ndtr  # slow to import

        below = ndtr(x)
        # x is bounded, since -inf * 0 is not a number.
        return np.maximum(x, -BOUND) * below, (x, below)

    def _derivative(self, saved):
        x, below = saved
        bounded = np.clip(x, -BOUND, BOUND)
        density = np.exp(-0.5 * bounded * bounded) * (2 * np.pi) ** -0.5
        return below + bounded * density


class Tanh(Activation):
    """y = tanh(x), for any width.

    Notes
    -----
    The derivative is 1 - y^2, computed as (1 - y) (1 + y); NaN stays NaN.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> nn.Tanh()([[-1000.0, 0.0]])
    array([[-1.,  0.]])
    """

    def _value(self, x):
        y = np.tanh(x)
        return y, y

    def _derivative(self, y):
        return (1 - y) * (1 + y)


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)), for any width.

    Notes
    -----
    The derivative is y(x) y(-x), equal to y (1 - y) but without the cancellation for
    large x. Nothing overflows; NaN stays NaN.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> nn.Sigmoid()([[-1000.0, 0.0, 1000.0]])
    array([[0. , 0.5, 1. ]])
    """

    def _value(self, x):
        from scipy.special import expit  # slow to import

        y = expit(x)
        return y, (x, y)

    def _derivative(self, saved):
        from scipy.special import expit  # slow to import

        x, y = saved
        return y * expit(-x)
