"""Schedules: the learning rate as a function of the step, step -> float."""

import math
from collections.abc import Callable

from ..._base.arguments import as_size
from ..arguments import as_number, as_rate


def constant(lr: float) -> Callable[[int], float]:
    """Stay at lr; the same as passing lr itself to an optimiser.

    Parameters
    ----------
    lr : float
        At least 0.

    Raises
    ------
    ValueError
        If lr is negative, infinite or no number.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> [nn.constant(0.1)(step) for step in (0, 1000)]
    [0.1, 0.1]
    """
    lr = as_number("lr", lr)

    def schedule(step):
        return lr

    return schedule


def warmup(
    schedule: float | Callable[[int], float], n_steps: int
) -> Callable[[int], float]:
    """Rise along a line for n_steps, then follow `schedule` from its beginning.

    Parameters
    ----------
    schedule : callable or float
        A schedule step -> float, or a learning rate that stays.
    n_steps : int
        At least 0.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    rate(t) = schedule(0) * (t + 1) / (n_steps + 1) for t < n_steps, so that no step is
    lost at a rate of 0 or spent twice at the full one; then rate(t) =
    schedule(t - n_steps). This is about the learning rate alone;
    ``fastbutterfly.warmup`` compiles kernels.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD, section 2.2.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> schedule = nn.warmup(nn.step_decay(1.0, 2, 0.5), 3)
    >>> [schedule(step) for step in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5]
    """
    schedule, n_steps = as_rate("schedule", schedule), as_size("n_steps", n_steps, 0)
    if not callable(schedule):
        schedule = constant(schedule)

    def warmed(step):
        if step < n_steps:
            return schedule(0) * (step + 1) / (n_steps + 1)
        return schedule(step - n_steps)

    return warmed


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
