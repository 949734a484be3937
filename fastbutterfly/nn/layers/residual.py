"""Residual: layers whose output is added to their input."""

from .layer import Layer
from .sequential import Sequential


class Residual(Sequential):
    """y = x + f(x), f the layers one after the other.

    Parameters
    ----------
    *layers : Layer
        As for `Sequential`; they have as many outputs as inputs.

    Attributes
    ----------
    layers : tuple of Layer

    Raises
    ------
    ValueError, TypeError
        If the layers do not fit together, change the size, or belong to a network.

    Notes
    -----
    He et al. (2016), arXiv 1512.03385. The gradient of x is g plus that through f.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> layer = nn.Residual(nn.Dense(2, 2))
    >>> layer.parameters[...] = 0
    >>> layer([[1, 2]])
    array([[1., 2.]], dtype=float32)
    """

    def __init__(self, *layers: Layer):
        super().__init__(*layers)
        if self.n_in != self.n_out:
            for layer in layers:
                layer._in_network = False
            raise ValueError(
                "layers must have as many outputs as inputs, to be added, got "
                f"{self.n_in} inputs and {self.n_out} outputs"
            )

    def _run(self, x, rng):
        y, saved = super()._run(x, rng)
        return x + y, saved

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Go through the layers backwards; return g plus their gradient."""
        gx = super().backward(saved, g, gparameters, input_gradient=input_gradient)
        return g + gx if input_gradient else None
