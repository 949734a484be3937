"""Activations: elementwise layers without parameters."""

import numpy as np

from .layer import Layer


class ReLU(Layer):
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
        """Return max(x, 0), which is also what is saved."""
        y = np.maximum(x, 0)
        return y, y

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Return g where the output is positive, else 0."""
        return g * (saved > 0) if input_gradient else None

    def _describe(self):
        return {"type": "ReLU"}

    @classmethod
    def _restore(cls, description, reader):
        return cls()

    def __repr__(self):
        return "ReLU()"
