"""Adam: rates by weight from the means of gradients and of their squares."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._kernels import optimizer_steps
from ..arguments import as_number, as_positive
from .base import Optimizer


@dataclass
class AdamState:
    """State of `Adam`: the number of steps, means of gradients and of their squares."""

    step: int
    mean: NDArray
    square: NDArray


class Adam(Optimizer):
    """Adam; with weight decay AdamW.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a schedule step -> float; the first step is 0.
    betas : pair of float
        Decay rates of the means of gradients and of their squares; from 0 to below 1.
    eps : float
        Positive; keeps the division finite.
    weight_decay : float
        At least 0; decoupled from the gradient.

    Raises
    ------
    ValueError, TypeError
        If an option is not as described.

    Notes
    -----
    With m = v = 0 at the start, at the t-th step, counted from 1::

        m = betas[0] * m + (1 - betas[0]) * gradient
        v = betas[1] * v + (1 - betas[1]) * gradient**2
        direction = m / (1 - betas[0]**t) / (sqrt(v / (1 - betas[1]**t)) + eps)
        parameters -= lr * (direction + weight_decay * parameters)

    That is torch.optim.AdamW. Computed in the dtype of the parameters: in float32 an
    entry of the gradient beyond 1e19 may have an infinite square, and its parameter
    then no longer moves, but for the decay. ``fit(..., clip=...)`` prevents that.

    References
    ----------
    Kingma and Ba (2015), Adam: a method for stochastic optimization. Loshchilov and
    Hutter (2019), Decoupled weight decay regularization.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> optimizer = nn.Adam(0.1)
    >>> w = np.ones(2)
    >>> state = optimizer.init(w)
    >>> optimizer.update(w, np.array([5.0, -0.01]), state)
    >>> w.round(4)
    array([0.9, 1.1])
    """

    def __init__(
        self,
        lr: float | Callable[[int], float] = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
    ):
        super().__init__(lr)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas must be a pair of numbers, got {betas!r}")
        self.betas = tuple(
            as_number(f"betas[{i}]", beta, below=1) for i, beta in enumerate(betas)
        )
        self.eps = as_positive("eps", eps)
        self.weight_decay = as_number("weight_decay", weight_decay)

    def init(self, parameters):
        """Return the state before the first step, for a flat parameter buffer."""
        return AdamState(0, np.zeros_like(parameters), np.zeros_like(parameters))

    def update(self, parameters, gradient, state):
        """Do one step, in place; see `Optimizer.update`."""
        mean, square = state.mean, state.square
        lr = self._next(parameters, state, gradient=gradient, mean=mean, square=square)
        first, second = self.betas
        corrections = 1 - first**state.step, 1 - second**state.step
        # In compiled code a Python float would turn float32 arithmetic into float64.
        cast = parameters.dtype.type
        rates = cast(lr), cast(self.weight_decay), cast(self.eps)
        means = cast(first), cast(1 - first), cast(1 / corrections[0])
        squares = cast(second), cast(1 - second), cast(corrections[1] ** -0.5)
        optimizer_steps.adam(parameters, gradient, mean, square, rates, means, squares)
