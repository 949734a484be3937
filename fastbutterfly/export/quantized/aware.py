"""QuantizationAware: train a network for the integers it will become."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...nn import Layer
from ...nn.training.fit import check_optimizer
from .parameter_indices import parameter_indices
from .quantize import BITS, Quantized, quantize, requantize
from .steps import pair_with


@dataclass
class AwareState:
    """Exact parameters, and the state of the optimiser that moves them."""

    exact: NDArray
    state: Any


class QuantizationAware:
    """An optimiser for fine-tuning: the network computes with rounded weights.

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
    the network has rounded weights, and `quantized` returns its integers. Training does
    not round activations; biases are rounded by `quantized` only. Values beyond the
    ranges that `quantize` measured at the start saturate, so use small steps, and check
    the result with `emulate`.

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
        self._scale = np.zeros(net.parameters.size)  # 0: not rounded in training
        self._top = (1 << BITS[dtype] - 1) - 1
        for step, source in pair_with(self._model.steps, parameter_indices(net)):
            if hasattr(source, "weights"):
                trained = source.weights >= 0
                self._scale[source.weights[trained]] = step.scale[trained]

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
        """Return the network with its present weights, in integers."""
        return requantize(self._model, self._net)

    def _round(self, parameters, state):
        exact, scale, top = state.exact, self._scale, self._top
        whole = np.clip(np.rint(exact * scale), -top, top)
        rounded = np.divide(whole, scale, out=exact.astype(float), where=scale > 0)
        parameters[...] = rounded

    def __repr__(self):
        # A checkpoint compares this: scales that differ belong to another run.
        scales = hashlib.sha256(self._scale).hexdigest()[:8]
        return f"QuantizationAware({self.optimizer!r}, {self._model!r}, {scales})"
