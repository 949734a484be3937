"""Optimizer: the base class, with explicit state and flat parameter buffers."""

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ..arguments import as_number, as_rate


class Optimizer:
    """Base of optimisers: ``state = init(parameters)``, then `update` step by step.

    A subclass implements both; it calls ``self._next(parameters, state, name=array,
    ...)`` for the rate of the step; it raises unless the arrays fit.
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
