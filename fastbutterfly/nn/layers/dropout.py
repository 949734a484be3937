"""Dropout: random zeros while a network trains."""

from ..arguments import as_number, take
from .layer import Layer


class Dropout(Layer):
    """In training, zero each element with probability `rate`; else y = x.

    Parameters
    ----------
    rate : float
        In [0, 1).

    Raises
    ------
    ValueError
        If the rate is not as described.

    Notes
    -----
    Inverted dropout (Srivastava et al. 2014): the remaining elements are divided by
    1 - rate, so that the mean stays and predictions need no factor. Active only in
    the steps of `nn.fit`, never in predictions and validation. The layer has no
    randomness of its own: it draws from the rng of `fit`, so the same rng gives the
    same bits, and there is no state to save or to copy.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> layer = nn.Dropout(0.5)
    >>> layer([[1.0, 2.0, 3.0, 4.0]])
    array([[1., 2., 3., 4.]])
    >>> layer.forward_training(np.ones((1, 4)), np.random.default_rng(0))[0]
    array([[2., 0., 0., 0.]])
    """

    def __init__(self, rate: float):
        self.rate = as_number("rate", rate, below=1)

    def forward(self, x):
        """Return x itself."""
        return x, None

    def forward_training(self, x, rng):
        """Return x times a random mask of 0 and 1 / (1 - rate); it is saved."""
        if not self.rate:
            return x, None
        # In float64, as a rate close to 1 may round to 1 in float32.
        mask = (rng.random(x.shape) >= self.rate).astype(x.dtype)
        mask /= 1 - self.rate
        return x * mask, mask

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Return g times the mask, or g where nothing was dropped."""
        if not input_gradient:
            return None
        return g if saved is None else g * saved

    def _describe(self):
        return {"type": "Dropout", "rate": self.rate}

    @classmethod
    def _restore(cls, description, reader):
        return cls(take("Dropout", description, "rate", float))

    def __repr__(self):
        return f"Dropout({self.rate})"
