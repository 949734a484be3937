"""Learning: the steps of `learn`, on stacks of matrices."""

import math
from dataclasses import dataclass, field

import numpy as np

from .._base.arguments import dense, is_sparse
from ..approximation import ProjectedLowRank
from ..nn.training.history import DivergenceError
from .low_rank import best_errors, excess
from .random import stack
from .sketch import Sketch

LARGE = 1 << 15  # numbers of a matrix that is not copied to a stack
EPS, TINY = np.finfo(float).eps, np.finfo(float).tiny


@dataclass(repr=False)
class Learned:
    """What `learn` returns.

    Attributes
    ----------
    sketch : Sketch
        The one with the best validation error, if there is validation; else the last.
    losses : list of float
        Mean error of each step's matrices, before the step: e^2 for the metric
        "squared", e for "norm", e / e_k for "relative".
    validation : list of (int, float)
        Steps done, and the excess of the validation matrices then.
    seconds : float
    interrupted : bool
        Whether Ctrl-C ended it.
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
    """Transposed matrices, those of one width in a stack, and their weights."""

    def __init__(self, matrices, k, metric):
        self.matrices, self.weights = matrices, np.ones(len(matrices))
        self.rows = [_large(X) for X in matrices]
        if metric == "relative":
            self.weights = _inverse(matrices, best_errors(matrices, k))

    def take(self, chosen):
        """Stacks (count, d, n) of some, large ones each alone, and their weights."""
        widths = {}
        for i in chosen:
            if self.rows[i] is not None:
                yield self.rows[i][np.newaxis], self.weights[i : i + 1]
            else:
                widths.setdefault(self.matrices[i].shape[1], []).append(i)
        for numbers in widths.values():
            stack = np.stack([dense(self.matrices[i]).T for i in numbers])
            yield np.ascontiguousarray(stack, np.float64), self.weights[numbers]


class Run:
    """One training of a model."""

    def __init__(self, model, optimizer, tail, k, metric, validation, callback):
        self.model, self.optimizer, self.tail, self.k = model, optimizer, tail, k
        self.metric, self.validation, self.callback = metric, validation, callback
        self.found = Learned(self.sketch())
        self.least = math.inf
        self.best = None if validation is None else best_errors(validation, k)

    def sketch(self):
        """The learned rows as they are, and those that are not learned."""
        learned = self.model.sketch()
        return stack(learned, *self.tail) if self.tail else learned

    def train(self, stacks, steps, batch_size, every, rng):
        """All steps."""
        state, order = self.optimizer.init(self.model.parameters), np.empty(0, int)
        count = len(stacks.matrices)
        for step in range(steps):
            if step % every == 0 and self.checked(step):
                return
            while len(order) < min(batch_size, count):
                order = np.concatenate([order, rng.permutation(count)])
            chosen, order = order[:batch_size], order[batch_size:]
            self.step(stacks.take(chosen), len(chosen), state)
        self.checked(steps)

    @np.errstate(over="ignore", invalid="ignore")
    def step(self, parts, count, state):
        """One step on some matrices."""
        total, gradient = 0.0, 0.0
        for rows, weights in parts:
            try:
                value, g = self.evaluate(rows, weights)
            except np.linalg.LinAlgError:  # of numbers that overflow
                value = g = math.nan
            total, gradient = total + value, gradient + g
        self.check(math.isfinite(total) and np.isfinite(gradient).all())
        self.found.losses.append(total / count)
        self.optimizer.update(self.model.parameters, gradient / count, state)
        self.check(np.isfinite(self.model.parameters).all())

    def evaluate(self, rows, weights):
        """Sum of a stack's errors, and its gradient."""
        A = learned = self.model.forward(rows)
        if self.tail:
            fixed = [(S @ x.T).T for S in self.tail for x in rows]
            A = np.concatenate([learned, np.stack(fixed)], axis=-1)
        best = ProjectedLowRank(A, rows)
        values, slope = best.error(self.k), weights
        if self.metric != "squared":
            # The gradient of an error that is zero by rounding is noise.
            floor = EPS * np.square(rows).sum(axis=(-2, -1))
            slope = weights / (2 * np.sqrt(np.maximum(values, np.maximum(floor, TINY))))
            values = np.sqrt(values)
        g = best.gradient(self.k)[..., : learned.shape[-1]]
        g *= slope[:, np.newaxis, np.newaxis]
        return float(weights @ values), self.model.gradient(rows, g).reshape(-1)

    def checked(self, step):
        """Validate; whether to end."""
        S = self.sketch()
        if self.validation is not None:
            options = {"metric": self.metric, "best": self.best}
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    value = excess(self.validation, S, self.k, **options)
            except ValueError:  # the matrices are fine, so S @ X overflows
                self.check(False)
            self.found.validation.append((step, value))
            if value < self.least:
                self.least, self.found.sketch = value, S
        return self.callback is not None and self.callback(step, S) is True

    def check(self, finite):
        """Raise if something is not finite."""
        if not finite:
            step = len(self.found.losses)
            raise DivergenceError(
                f"training diverged: an error, a gradient or the sketch is not finite "
                f"at step {step}; a smaller learning rate may help",
                step,
            )

    def finish(self):
        """What was found; the last sketch if there is no validation."""
        if self.validation is None:
            self.found.sketch = self.sketch()
        return self.found


def _large(X):
    """The transpose of a large dense matrix, else None."""
    if is_sparse(X) or X.size < LARGE:
        return None
    return np.ascontiguousarray(X.T, np.float64)


def _inverse(matrices, squares):
    """1 / e_k, or an error where it is zero by rounding."""
    for i, (X, square) in enumerate(zip(matrices, squares, strict=True)):
        whole = np.square(dense(X), dtype=np.float64).sum()
        if square <= (max(X.shape) * EPS) ** 2 * whole:
            raise ValueError(
                f"matrices[{i}] has no relative error: its best approximation is "
                'exact; use metric="norm" or leave it out'
            )
    return 1 / np.sqrt(squares)
