"""TrainingRun: the steps and epochs of one training run, and its state."""

import math

import numpy as np

from ..._base.arguments import all_finite
from ..arguments import rows_of
from ..losses import MSE, BinaryCrossEntropy, CrossEntropy, Huber
from .history import DivergenceError, History

EVALUATED_ROWS = 4096  # at a time in a validation
TRUSTED = MSE, Huber, CrossEntropy, BinaryCrossEntropy


class TrainingRun:
    """A network in training.

    The samples, targets and weights that come in were checked by their source, see
    `data`; `clip` is the largest norm of a gradient, or None.
    """

    def __init__(self, net, loss, optimizer, clip, rng):
        self.net, self.loss, self.optimizer = net, loss, optimizer
        self.clip, self.rng = clip, rng
        self.history = History()
        self.gradient = np.zeros_like(net.parameters)
        self.state = optimizer.init(net.parameters)
        # A loss of a class of one's own may check or convert in any method.
        self._is_trusted = type(loss) in TRUSTED

    @np.errstate(over="ignore", invalid="ignore")
    def epoch(self, data, report):
        """Mean loss of one pass over the data."""
        total, total_weight = 0.0, 0
        for x, *targets in data.epoch(self.rng):
            weight = self.loss.weight(*targets)
            total += self.step(x, *targets) * weight
            total_weight += weight
            report.step()
        if not total_weight:
            raise ValueError("sample_weight must not be all zero in all batches of X")
        return total / total_weight

    def step(self, x, *targets):
        """Loss of one batch, before the update; targets: y, and weights if any."""
        parameters, gradient = self.net.parameters, self.gradient
        y_pred, saved = self.net.forward_training(x, self.rng)
        value, g = self._value_and_gradient(y_pred, *targets)
        if not math.isfinite(value):
            self._diverge(f"loss is {value}: it is")
        self.net.backward(saved, g, gradient, input_gradient=False)
        if not all_finite(gradient):
            self._diverge("gradient is")
        if self.clip is not None and (norm := _norm(gradient)) > self.clip:
            gradient *= self.clip / norm
        self.optimizer.update(parameters, gradient, self.state)
        self.history.steps += 1
        if not all_finite(parameters):
            self._diverge("parameters are")
        return value

    def _value_and_gradient(self, y_pred, y, *weights):
        """The loss; what has been checked before is not checked again."""
        if (
            self._is_trusted
            and type(y_pred) is np.ndarray
            and y_pred.dtype.type in (np.float32, np.float64)
            and y_pred.shape == (len(y), self.net.n_out)
        ):
            return self.loss._evaluate(y_pred, y, *weights)
        return self.loss(y_pred, y, *weights)

    @np.errstate(over="ignore", invalid="ignore")
    def evaluate(self, x, *targets):
        """Mean loss and accuracy, in bounded memory."""
        total, total_weight, correct, count = 0.0, 0, 0.0, x.shape[0]
        for start in range(0, count, EVALUATED_ROWS):
            rows = slice(start, start + EVALUATED_ROWS)
            y_pred, part = self.net(rows_of(x, rows)), [a[rows] for a in targets]
            weight = self.loss.weight(*part)
            total += self._value_and_gradient(y_pred, *part)[0] * weight
            total_weight += weight
            accuracy = self.loss.accuracy(y_pred, part[0])
            correct = None if accuracy is None else correct + accuracy * len(y_pred)
        if not math.isfinite(total):
            self._diverge("validation loss is")
        return total / total_weight, None if correct is None else correct / count

    def _diverge(self, what):
        """Raise for what is not finite."""
        step, epoch = self.history.steps, len(self.history.epochs) + 1
        raise DivergenceError(
            f"training diverged: the {what} not finite at step {step}, in epoch "
            f"{epoch}; a smaller learning rate may help",
            step,
            self.history,
        )


def _norm(array):
    """Euclidean norm of a finite array, also where a square would overflow."""
    square = float(array @ array)
    if math.isfinite(square):
        return math.sqrt(square)
    largest = float(np.abs(array).max())
    return largest * float(np.linalg.norm(array / largest))
