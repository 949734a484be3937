"""ByLayer: an optimiser of its own for each layer, above all a rate of its own."""

from collections.abc import Callable

from ..layers.sequential import Sequential
from .base import Optimizer


class ByLayer(Optimizer):
    """Train each layer of a network by an optimiser of its own.

    Parameters
    ----------
    net : Sequential
        The network that will be trained, or one with the same layers.
    make : callable
        ``make(scale)`` returns the optimiser of a layer whose `rate_scale` is `scale`,
        for instance ``lambda scale: nn.Adam(0.001 * scale)``.

    Attributes
    ----------
    optimizers : list of Optimizer
        One for each of the network's layers.

    Raises
    ------
    TypeError
        If net is no `Sequential`, or make returns something else.

    Notes
    -----
    Adam moves each weight by about its rate. So it moves the outputs of a dense layer
    with n inputs by about n rates, and those of each layer of 2 x 2 blocks by two: a
    butterfly learns as fast as the dense layer at n / (2 log2(n)) times its rate, which
    is its `rate_scale`. In studies/learning_rates.py that makes low rates good for
    both; with a rate tuned for all layers together, butterflies do as well, and wide
    gadgets half a point worse. The steps of SGD are in proportion to the gradient, and
    the same reasoning gives 1.

    References
    ----------
    Qiu, Potapczynski, Finzi, Goldblum and Wilson (2024), Compute better spent:
    replacing dense layers with structured matrices, arXiv 2406.06248.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> net = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 2))
    >>> nn.ByLayer(net, lambda scale: nn.Adam(0.003 * scale)).optimizers[0].lr
    0.016
    """

    def __init__(self, net: Sequential, make: Callable[[float], Optimizer]):
        if not isinstance(net, Sequential):
            raise TypeError(f"net must be a Sequential, got {type(net).__name__}")
        if not callable(make):
            raise TypeError(f"make must be callable, got {make!r}")
        self.optimizers = [make(layer.rate_scale) for layer in net.layers]
        for optimizer in self.optimizers:
            if not isinstance(optimizer, Optimizer):
                raise TypeError(f"make must return an Optimizer, got {optimizer!r}")
        self._net = net

    def init(self, parameters):
        """Return the states before the first step, one for each layer."""
        parts = self._parts(parameters)
        pairs = zip(self.optimizers, parts, strict=True)
        return tuple(optimizer.init(part) for optimizer, part in pairs)

    def update(self, parameters, gradient, state):
        """Do one step, in place; see `Optimizer.update`."""
        parts = self._parts(parameters), self._parts(gradient)
        for optimizer, *part in zip(self.optimizers, *parts, state, strict=True):
            optimizer.update(*part)

    def _parts(self, flat):
        if flat.shape != self._net.parameters.shape:
            raise ValueError(
                "parameters and gradient must have shape "
                f"{self._net.parameters.shape}, as the network's, got {flat.shape}"
            )
        return self._net._parts(flat)

    def __repr__(self):
        return f"ByLayer({self.optimizers})"
