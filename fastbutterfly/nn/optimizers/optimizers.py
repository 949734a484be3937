"""Optimisers: explicit state, one pass over the flat parameter buffer a step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._kernels import optimizer_steps
from ..arguments import as_flag, as_number, as_positive, as_rate


class Optimizer:
    """Base of optimisers: ``state = init(parameters)``, then `update` step by step.

    A subclass implements both; it calls ``self._next(parameters, state, name=array,
    ...)`` for the rate of the step, once the arrays have been seen to fit.
    """

    def __init__(self, lr: float | Callable[[int], float]):
        self.lr = as_rate("lr", lr)

    def init(self, parameters: NDArray) -> Any:
        """Return the state before the first step, for a flat parameter buffer."""
        raise NotImplementedError

    def update(self, parameters: NDArray, gradient: NDArray, state: Any) -> None:
        """Do one step, in place.

        Parameters
        ----------
        parameters, gradient : array, shape (size,), float32 or float64
            `parameters` is changed.
        state : object
            From `init`; it is changed.

        Raises
        ------
        ValueError
            If the arrays do not match, or the schedule gives no valid rate.
        """
        raise NotImplementedError

    def _next(self, parameters, state, **arrays):
        for name, array in arrays.items():
            if array.shape != parameters.shape or array.dtype != parameters.dtype:
                name = name if name == "gradient" else f"state.{name}"
                raise ValueError(
                    f"{name} must match parameters, {parameters.shape} of "
                    f"{parameters.dtype}, got {array.shape} of {array.dtype}"
                )
        step, lr = state.step, self.lr
        lr = as_number(f"lr({step})", lr(step)) if callable(lr) else lr
        state.step += 1
        return lr

    def __repr__(self):
        lr, *options = vars(self).items()
        options = [str(lr[1]), *(f"{name}={value}" for name, value in options)]
        return f"{type(self).__name__}({', '.join(options)})"


@dataclass
class SGDState:
    """What `SGD` remembers: steps done, and the velocity if there is momentum."""

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
        lr, decay, momentum = map(
            parameters.dtype.type, (lr, self.weight_decay, self.momentum)
        )
        if velocity is None:
            optimizer_steps.sgd(parameters, gradient, lr, decay)
            return
        kernel = (
            optimizer_steps.sgd_decoupled
            if self.decoupled
            else optimizer_steps.sgd_momentum
        )
        kernel(parameters, gradient, velocity, lr, momentum, decay, self.nesterov)


@dataclass
class AdamState:
    """What `Adam` remembers: steps done, and means of gradients and their squares."""

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
        How much of the means of gradients and of their squares is kept at each step;
        from 0 to below 1.
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
