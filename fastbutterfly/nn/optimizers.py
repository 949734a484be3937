"""Optimisers: explicit state, one pass over the flat parameter buffer a step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._kernels import update
from ._checks import as_flag, as_number


@dataclass
class SGDState:
    """What `SGD` remembers: steps done, and the velocity if there is momentum."""

    step: int
    velocity: NDArray | None


class SGD:
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

    Examples
    --------
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
    ):
        self.lr = lr if callable(lr) else as_number("lr", lr)
        self.momentum = as_number("momentum", momentum, below=1)
        self.nesterov = as_flag("nesterov", nesterov)
        self.weight_decay = as_number("weight_decay", weight_decay)
        if self.nesterov and not self.momentum:
            raise ValueError(f"nesterov=True needs momentum > 0, got {momentum!r}")

    def init(self, parameters: NDArray) -> SGDState:
        """Return the state before the first step, for a flat parameter buffer."""
        return SGDState(0, np.zeros_like(parameters) if self.momentum else None)

    def update(self, parameters: NDArray, gradient: NDArray, state: SGDState) -> None:
        """Do one step, in place.

        Parameters
        ----------
        parameters, gradient : array, shape (size,), float32 or float64
            `parameters` is changed.
        state : SGDState
            From `init`; it is changed.

        Raises
        ------
        ValueError
            If the arrays do not match, or the schedule gives no valid rate.
        """
        velocity = parameters if state.velocity is None else state.velocity
        for name, array in (("gradient", gradient), ("state.velocity", velocity)):
            if array.shape != parameters.shape or array.dtype != parameters.dtype:
                raise ValueError(
                    f"{name} must match parameters, {parameters.shape} of "
                    f"{parameters.dtype}, got {array.shape} of {array.dtype}"
                )
        # In compiled code a Python float would turn float32 arithmetic into float64.
        cast = parameters.dtype.type
        lr, decay = cast(self._rate(state.step)), cast(self.weight_decay)
        state.step += 1
        if state.velocity is None:
            update.sgd(parameters, gradient, lr, decay)
        else:
            momentum = cast(self.momentum)
            update.sgd_momentum(
                parameters, gradient, velocity, lr, momentum, decay, self.nesterov
            )

    def _rate(self, step):
        return as_number(f"lr({step})", self.lr(step)) if callable(self.lr) else self.lr

    def __repr__(self):
        return (
            f"SGD({self.lr}, momentum={self.momentum}, nesterov={self.nesterov}, "
            f"weight_decay={self.weight_decay})"
        )
