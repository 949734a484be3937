"""Run: the steps and epochs of one training run, and its state."""

import math

import numpy as np

from ..._base.arguments import all_finite
from ..arguments import rows_of
from .history import DivergenceError, History

EVALUATED_ROWS = 4096  # at a time in a validation


class Run:
    """A network in training; `clip` is the largest length of a gradient, or None."""

    def __init__(self, net, loss, optimizer, clip, rng):
        self.net, self.loss, self.optimizer = net, loss, optimizer
        self.clip, self.rng = clip, rng
        self.history = History()
        self.gradient = np.zeros_like(net.parameters)
        self.state = optimizer.init(net.parameters)

    @np.errstate(over="ignore", invalid="ignore")
    def epoch(self, data, report):
        """Mean loss of one pass over the data."""
        total, weight = 0.0, 0
        for x, *wanted in data.epoch(self.rng):
            counts = self.loss.weight(*wanted)
            total += self.step(x, *wanted) * counts
            weight += counts
            report.step()
        if not weight:
            raise ValueError("sample_weight must not be all zero in all batches of X")
        return total / weight

    def step(self, x, *wanted):
        """Loss of one batch, before the update."""
        y_pred, saved = self.net.forward_training(x, self.rng)
        value, g = self.loss(y_pred, *wanted)
        self.check(f"loss is {value}: it is", math.isfinite(value))
        self.net.backward(saved, g, self.gradient, input_gradient=False)
        self.check("gradient is", all_finite(self.gradient))
        if self.clip is not None and (norm := _length(self.gradient)) > self.clip:
            self.gradient *= self.clip / norm
        self.optimizer.update(self.net.parameters, self.gradient, self.state)
        self.history.steps += 1
        self.check("parameters are", all_finite(self.net.parameters))
        return value

    @np.errstate(over="ignore", invalid="ignore")
    def evaluate(self, x, *wanted):
        """Mean loss and accuracy, in bounded memory."""
        total, weight, right, count = 0.0, 0, 0.0, x.shape[0]
        for start in range(0, count, EVALUATED_ROWS):
            rows = slice(start, start + EVALUATED_ROWS)
            y_pred, part = self.net(rows_of(x, rows)), [a[rows] for a in wanted]
            counts = self.loss.weight(*part)
            total += self.loss(y_pred, *part)[0] * counts
            weight += counts
            accuracy = self.loss.accuracy(y_pred, part[0])
            right = None if accuracy is None else right + accuracy * len(y_pred)
        self.check("validation loss is", math.isfinite(total))
        return total / weight, None if right is None else right / count

    def check(self, what, finite):
        """Raise if something is not finite."""
        if not finite:
            step, epoch = self.history.steps, len(self.history.epochs) + 1
            raise DivergenceError(
                f"training diverged: the {what} not finite at step {step}, in epoch "
                f"{epoch}; a smaller learning rate may help",
                step,
                self.history,
            )


def _length(array):
    """Euclidean norm of a finite array, also where a square would overflow."""
    square = float(array @ array)
    if math.isfinite(square):
        return math.sqrt(square)
    largest = float(np.abs(array).max())
    return largest * float(np.linalg.norm(array / largest))
