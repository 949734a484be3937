"""PointWise: one layer at each position of an image or a sequence."""

from ..._base.arguments import as_size
from ..arguments import take
from .layer import Layer
from .sequential import Sequential


class PointWise(Sequential):
    """Apply a layer over the channels at each position: a 1x1 convolution.

    Parameters
    ----------
    layer : Layer
        Has a size: channels to channels. It moves into this network.
    positions : int
        E.g. height times width.

    Attributes
    ----------
    layers : tuple of a single Layer
    positions : int

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or the layer belongs to a network.

    Notes
    -----
    A sample is a flat row of the shape (channels, positions), so images of the shape
    (batch, channels, height, width) go in as ``images.reshape(len(images), -1)`` and
    the outputs are ``y.reshape(batch, out_channels, height, width)``. With the layer f,
    y[b, :, p] = f(x[b, :, p]). All positions share the parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> net = nn.PointWise(nn.ButterflyLinear(16, 32, rng=0), 7 * 7)
    >>> images = np.ones((5, 16, 7, 7))
    >>> net(images.reshape(5, -1)).reshape(5, 32, 7, 7).shape
    (5, 32, 7, 7)
    """

    def __init__(self, layer: Layer, positions: int):
        positions = as_size("positions", positions)
        super().__init__(layer)
        self.positions = positions
        self.n_in, self.n_out = layer.n_in * positions, layer.n_out * positions

    def _run(self, x, rng):
        y, saved = super()._run(self._rows(x), rng)
        return self._samples(y), saved

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Sum the gradients of the parameters over the positions."""
        gx = super().backward(
            saved, self._rows(g), gparameters, input_gradient=input_gradient
        )
        return self._samples(gx) if input_gradient else None

    def _rows(self, x):
        """(batch, channels * positions) to (batch * positions, channels)."""
        batch, size = x.shape
        channels = size // self.positions
        x = x.reshape(batch, channels, self.positions).swapaxes(1, 2)
        return x.reshape(batch * self.positions, channels)

    def _samples(self, y):
        """The inverse of `_rows`."""
        rows, channels = y.shape
        batch = rows // self.positions
        y = y.reshape(batch, self.positions, channels).swapaxes(1, 2)
        return y.reshape(batch, channels * self.positions)

    def _width(self):
        return self.positions * super()._width()

    def _describe(self):
        return {**super()._describe(), "positions": self.positions}

    @classmethod
    def _restore(cls, description, reader):
        layers = take("PointWise", description, "layers", list)
        positions = take("PointWise", description, "positions", int)
        if len(layers) != 1:
            raise ValueError(f"PointWise needs one layer, got {len(layers)}")
        return cls(reader.layer(layers[0]), positions)

    def __repr__(self):
        return f"PointWise({self.layers[0]!r}, {self.positions})"
