"""The training steps of `learn`, on stacks of matrices."""

import math
from dataclasses import dataclass, field

import numpy as np

from .._base.arguments import dense, is_sparse
from ..approximation import ProjectedLowRank
from ..nn import DivergenceError
from .low_rank import best_errors, excess
from .random import stack
from .sketch import Sketch

LARGE = 1 << 15  # elements from which a matrix is not copied to a stack: 256 kB
EPS, TINY = np.finfo(float).eps, np.finfo(float).tiny


@dataclass(repr=False)
class Learned:
    """Result of `learn`.

    Attributes
    ----------
    sketch : Sketch
        The sketch with the smallest validation error; without validation the last.
    losses : list of float
        Mean error of each step's matrices, before the step: e^2 for the metric
        "squared", e for "norm", e / e_k for "relative".
    validation : list of (int, float)
        Number of steps, and the excess of the validation matrices after them.
    seconds : float
        Duration of the training.
    interrupted : bool
        Whether Ctrl-C ended the training.
    """

    sketch: Sketch
    losses: list[float] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False

    def __repr__(self):
        last = f", validation {self.validation[-1][1]:.4g}" if self.validation else ""
        return (
            f"Learned({self.sketch!r}, {len(self.losses)} steps{last}, "
            f"{self.seconds:.3g} s)"
        )


class Stacks:
    """Transposed matrices, stacked by width, and the weights of their errors."""

    def __init__(self, matrices, k, metric):
        self.matrices, self.weights = matrices, np.ones(len(matrices))
        self.rows = [_transposed_if_large(X) for X in matrices]
        if metric == "relative":
            self.weights = _inverse_errors(matrices, best_errors(matrices, k))

    def take(self, chosen):
        """Stacks (count, d, n) of the chosen matrices, and their weights.

        A large matrix is a stack of its own.
        """
        by_width = {}
        for i in chosen:
            if self.rows[i] is not None:
                yield self.rows[i][np.newaxis], self.weights[i : i + 1]
            else:
                by_width.setdefault(self.matrices[i].shape[1], []).append(i)
        for indices in by_width.values():
            stack = np.stack([dense(self.matrices[i]).T for i in indices])
            yield np.ascontiguousarray(stack, np.float64), self.weights[indices]


class LearningRun:
    """Training of one model, and its state: optimizer, result, best validation error.

    `tail` are the sketches that stay untrained below the learned one.
    """

    def __init__(self, model, optimizer, tail, k, metric, validation, callback):
        self.model, self.optimizer, self.tail, self.k = model, optimizer, tail, k
        self.metric, self.validation, self.callback = metric, validation, callback
        self.learned = Learned(self.sketch())
        self.smallest_excess = math.inf
        self.best_errors = None if validation is None else best_errors(validation, k)

    def sketch(self):
        """The current learned rows above the untrained ones."""
        learned = self.model.sketch()
        return stack(learned, *self.tail) if self.tail else learned

    def train(self, stacks, steps, batch_size, every, rng):
        """Take all steps; validate every `every` steps and at the end."""
        state, order = self.optimizer.init(self.model.parameters), np.empty(0, int)
        count = len(stacks.matrices)
        for step in range(steps):
            if step % every == 0 and self.validate(step):
                return
            while len(order) < min(batch_size, count):
                order = np.concatenate([order, rng.permutation(count)])
            chosen, order = order[:batch_size], order[batch_size:]
            self.step(stacks.take(chosen), len(chosen), state)
        self.validate(steps)

    @np.errstate(over="ignore", invalid="ignore")
    def step(self, parts, count, state):
        """Take one step on `count` matrices."""
        total, gradient = 0.0, 0.0
        for rows, weights in parts:
            try:
                value, g = self.evaluate(rows, weights)
            except np.linalg.LinAlgError:  # no convergence after an overflow
                value = g = math.nan
            total, gradient = total + value, gradient + g
        self.check(math.isfinite(total) and np.isfinite(gradient).all())
        self.learned.losses.append(total / count)
        self.optimizer.update(self.model.parameters, gradient / count, state)
        self.check(np.isfinite(self.model.parameters).all())

    def evaluate(self, rows, weights):
        """Weighted sum of a stack's errors, and its gradient for the parameters."""
        A = learned = self.model.forward(rows)
        if self.tail:
            fixed = [(S @ x.T).T for S in self.tail for x in rows]
            A = np.concatenate([learned, np.stack(fixed)], axis=-1)
        approximation = ProjectedLowRank(A, rows)
        values, slope = approximation.error(self.k), weights
        if self.metric != "squared":
            # The gradient of an error that is zero by rounding is noise.
            floor = EPS * np.square(rows).sum(axis=(-2, -1))
            slope = weights / (2 * np.sqrt(np.maximum(values, np.maximum(floor, TINY))))
            values = np.sqrt(values)
        g = approximation.gradient(self.k)[..., : learned.shape[-1]]
        g *= slope[:, np.newaxis, np.newaxis]
        return float(weights @ values), self.model.gradient(rows, g).reshape(-1)

    def validate(self, step):
        """Record the excess, keep the best sketch; whether the callback ends it."""
        S = self.sketch()
        if self.validation is not None:
            options = {"metric": self.metric, "best": self.best_errors}
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    value = excess(self.validation, S, self.k, **options)
            except ValueError:  # the matrices have been checked, so S @ X overflows
                self.check(False)
            self.learned.validation.append((step, value))
            if value < self.smallest_excess:
                self.smallest_excess, self.learned.sketch = value, S
        return self.callback is not None and self.callback(step, S) is True

    def check(self, finite):
        """Raise DivergenceError unless `finite`."""
        if not finite:
            step = len(self.learned.losses)
            raise DivergenceError(
                f"training diverged: an error, a gradient or the sketch is not finite "
                f"at step {step}; a smaller learning rate may help",
                step,
            )

    def finish(self):
        """Return the result, with the last sketch if there is no validation."""
        if self.validation is None:
            self.learned.sketch = self.sketch()
        return self.learned


def _transposed_if_large(X):
    """The transpose of a large dense matrix in double precision; None for others."""
    if is_sparse(X) or X.size < LARGE:
        return None
    return np.ascontiguousarray(X.T, np.float64)


def _inverse_errors(matrices, squares):
    """1 / e_k; raises ValueError where e_k is rounding error."""
    for i, (X, square) in enumerate(zip(matrices, squares, strict=True)):
        norm_squared = np.square(dense(X), dtype=np.float64).sum()
        if square <= (max(X.shape) * EPS) ** 2 * norm_squared:
            raise ValueError(
                f"matrices[{i}] has no relative error: its best approximation is "
                'exact; use metric="norm" or leave it out'
            )
    return 1 / np.sqrt(squares)
