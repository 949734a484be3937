"""SGD: stochastic gradient descent, with momentum and weight decay."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._kernels import optimizer_steps
from ..arguments import as_flag, as_number
from .base import Optimizer


@dataclass
class SGDState:
    """State of `SGD`: the number of steps, and the velocity if there is momentum."""

    step: int
    velocity: NDArray | None


class SGD(Optimizer):
    """Stochastic gradient descent.

    Parameters
    ----------
    lr : float or callable
        Learning rate, or a schedule step -> float; the first step is 0.
    momentum : float
        From 0 to below 1.
    nesterov : bool
        Whether to look ahead; needs momentum.
    weight_decay : float
        At least 0.
    decoupled : bool
        Whether the decay acts on the parameters alone, not on the velocity.

    Raises
    ------
    ValueError, TypeError
        If an option is not as described.

    Notes
    -----
    torch.optim.SGD's convention, with velocity v = 0 at the start::

        d = gradient + weight_decay * parameters
        v = momentum * v + d
        parameters -= lr * (d + momentum * v if nesterov else v)

    Decoupled, d = gradient, and ``lr * weight_decay * parameters`` is subtracted
    beside the step; without momentum that is the same.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> optimizer = nn.SGD(0.1, momentum=0.5)
    >>> w = np.ones(2)
    >>> state = optimizer.init(w)
    >>> optimizer.update(w, np.array([1.0, -1.0]), state)
    >>> w
    array([0.9, 1.1])
    """

    def __init__(
        self,
        lr: float | Callable[[int], float],
        *,
        momentum: float = 0,
        nesterov: bool = False,
        weight_decay: float = 0,
        decoupled: bool = False,
    ):
        super().__init__(lr)
        self.momentum = as_number("momentum", momentum, below=1)
        self.nesterov = as_flag("nesterov", nesterov)
        self.weight_decay = as_number("weight_decay", weight_decay)
        self.decoupled = as_flag("decoupled", decoupled)
        if self.nesterov and not self.momentum:
            raise ValueError(f"nesterov=True needs momentum > 0, got {momentum!r}")

    def init(self, parameters):
        """Return the state before the first step, for a flat parameter buffer."""
        return SGDState(0, np.zeros_like(parameters) if self.momentum else None)

    def update(self, parameters, gradient, state):
        """Do one step, in place; see `Optimizer.update`."""
        velocity = state.velocity
        arrays = {} if velocity is None else {"velocity": velocity}
        lr = self._next(parameters, state, gradient=gradient, **arrays)
        # In compiled code a Python float would turn float32 arithmetic into float64.
        cast = parameters.dtype.type
        lr, decay = cast(lr), cast(self.weight_decay)
        if velocity is None:
            optimizer_steps.sgd(parameters, gradient, lr, decay)
            return
        kernel = (
            optimizer_steps.sgd_decoupled
            if self.decoupled
            else optimizer_steps.sgd_momentum
        )
        momentum = cast(self.momentum)
        kernel(parameters, gradient, velocity, lr, momentum, decay, self.nesterov)
