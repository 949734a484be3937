"""Schedules: the learning rate as a function of the step, step -> float."""

import math
from collections.abc import Callable

from .._arrays import as_size
from ._checks import as_number


def cosine(lr: float, n_steps: int) -> Callable[[int], float]:
    """Fall from lr to 0 over n_steps along half a cosine; 0 afterwards.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> [round(nn.cosine(0.1, 100)(step), 3) for step in (0, 50, 100)]
    [0.1, 0.05, 0.0]
    """
    lr, n_steps = as_number("lr", lr), as_size("n_steps", n_steps)

    def schedule(step):
        return lr * 0.5 * (1 + math.cos(math.pi * min(step / n_steps, 1)))

    return schedule


def step_decay(lr: float, every: int, factor: float = 0.1) -> Callable[[int], float]:
    """Multiply lr by `factor` after each `every` steps.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> [nn.step_decay(1.0, 100, 0.5)(step) for step in (0, 99, 100, 200)]
    [1.0, 1.0, 0.5, 0.25]
    """
    lr, factor = as_number("lr", lr), as_number("factor", factor)
    every = as_size("every", every)

    def schedule(step):
        return lr * factor ** (step // every)

    return schedule
