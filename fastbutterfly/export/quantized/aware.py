"""QuantizationAware: train a network for the integers it will become."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...nn import Layer
from ...nn.training.fit import check_optimizer
from ..lowering import places
from ..passes import pruned
from .quantize import BITS, Quantized, quantize
from .steps import paired


@dataclass
class AwareState:
    """Exact parameters, and the state of the optimiser that moves them."""

    exact: NDArray
    state: Any


class QuantizationAware:
    """An optimiser for fine-tuning: the network computes with weights as rounded.

    Parameters
    ----------
    optimizer : Optimizer
        Moves the exact weights, e.g. ``nn.Adam(1e-4)``.
    net : Layer
        What `quantize` takes, without `OrthogonalLinear`.
    X, dtype
        As for `quantize`, whose scales are kept.

    Attributes
    ----------
    optimizer : Optimizer

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or another network is trained.

    Notes
    -----
    The gradient at the rounded weights moves the exact ones (Bengio, Leonard and
    Courville, 2013, arXiv 1308.3432, the straight-through estimator). After `nn.fit`
    the network has rounded weights, and `quantized` gives its integers. Numbers between
    the layers are not rounded in training, and biases only by `quantized`; what grows
    beyond the ranges that `quantize` found at the start saturates, so steps are to be
    small, and `emulate` tells.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import export, nn
    >>> X = np.random.default_rng(0).standard_normal((64, 8))
    >>> net = nn.ButterflyLinear(8, 8, rng=0)
    >>> aware = export.QuantizationAware(nn.Adam(1e-3), net, X)
    >>> history = nn.fit(net, X, X, loss=nn.MSE(), optimizer=aware, epochs=2)
    >>> aware.quantized()
    Quantized(8 -> 8, int8)
    """

    def __init__(self, optimizer, net: Layer, X: ArrayLike, *, dtype: str = "int8"):
        check_optimizer(optimizer)
        self._model = quantize(net, X, dtype=dtype)
        self._net, self.optimizer = net, optimizer
        self._scale = np.zeros(net.parameters.size)
        self._top = (1 << BITS[dtype] - 1) - 1
        for one, place in paired(self._model.steps, pruned(places(net))):
            if hasattr(place, "weights"):
                trained = place.weights >= 0
                self._scale[place.weights[trained]] = one.scale[trained]

    def init(self, parameters: NDArray) -> AwareState:
        """Return the state before the first step; the network's weights are rounded."""
        if parameters is not self._net.parameters:
            raise ValueError(
                "parameters must be those of the network that QuantizationAware was "
                f"made for, {self._net!r}, got an array of shape {parameters.shape}"
            )
        state = AwareState(parameters.copy(), self.optimizer.init(parameters))
        self._round(parameters, state)
        return state

    def update(self, parameters: NDArray, gradient: NDArray, state: AwareState) -> None:
        """Do one step, in place; see `Optimizer.update`."""
        self.optimizer.update(state.exact, gradient, state.state)
        self._round(parameters, state)

    def quantized(self) -> Quantized:
        """Return the network as it is now, in integers."""
        return self._model._updated(self._net)

    def _round(self, parameters, state):
        exact, scale, top = state.exact, self._scale, self._top
        whole = np.clip(np.rint(exact * scale), -top, top)
        rounded = np.divide(whole, scale, out=exact.astype(float), where=scale > 0)
        parameters[...] = rounded

    def __repr__(self):
        scales = hashlib.sha256(self._scale).hexdigest()[:8]  # for checkpoints
        return f"QuantizationAware({self.optimizer!r}, {self._model!r}, {scales})"
