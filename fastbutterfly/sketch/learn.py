"""learn: a sketch for the low-rank approximation of matrices like those given."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._arrays import as_choice, as_generator, as_size
from .._subspace import Best
from ..nn.history import DivergenceError
from ..nn.optimizers import Adam
from ..nn.training import check_optimizer
from ._matrices import as_matrices
from ._models import MODELS, make
from ._sketch import Sketch
from .kinds import count_sketch, stack
from .low_rank import METRICS, excess

TINY = np.finfo(float).tiny


@dataclass(repr=False)
class Learned:
    """What `learn` returns.

    Attributes
    ----------
    sketch : Sketch
        The one with the best validation error, if there is validation; else the last.
    losses : list of float
        Excess of each step's matrices, before the step, in the metric.
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


def learn(
    matrices: Iterable[ArrayLike],
    l: int,  # noqa: E741, the usual name
    k: int,
    *,
    kind: str = "butterfly",
    nonzeros: int = 1,
    metric: str = "norm",
    steps: int = 1000,
    batch_size: int = 8,
    optimizer=None,
    validation: Iterable[ArrayLike] | None = None,
    every: int = 50,
    append: int = 0,
    rng: Generator | int | None = None,
    callback: Callable[[int, Sketch], object] | None = None,
) -> Learned:
    """Learn a sketch S (l, n) whose `low_rank` approximations are good.

    Parameters
    ----------
    matrices : array (n, d), or iterable of such
        What it is trained on: real, finite, dense or sparse; one n, any d. They all
        count the same: bring them to one scale first, for instance to the same largest
        singular value.
    l : int
        Rows of the sketch, from k to n.
    k : int
        Rank of the approximations.
    kind : {"butterfly", "sparse", "dense"}
        "butterfly": truncated, starts as `fjlt`. "sparse": `nonzeros` in each column,
        at random places that stay (Indyk, Vakilian and Yuan, 2019). "dense": all
        entries.
    nonzeros : int
        Of a sparse one, in each column.
    metric : {"squared", "norm", "relative"}
        What is made small, see `excess`.
    steps : int
        Of the optimizer.
    batch_size : int
        Matrices a step, drawn anew without replacement until all have been used.
    optimizer : SGD, Adam, or any object with `init` and `update` as they have them
        None: ``nn.Adam(1e-2)``.
    validation : array, or iterable of such, optional
        The sketch that is best for these is returned.
    every : int
        Steps between two validations.
    append : int
        Rows of an untrained `count_sketch` below the l learned ones, with which the
        guarantee for every matrix stays. 0: none.
    rng : Generator, int or None
        Draws the start and the batches; the same rng gives the same bits.
    callback : callable, optional
        Called as ``callback(step, sketch)`` with each validation; True ends the run.

    Returns
    -------
    Learned

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    DivergenceError
        As soon as an error, a gradient or the parameters are not finite.

    Notes
    -----
    For A = S X, V an orthonormal basis of its rows and U_k the first k left singular
    vectors of X V, the squared error is |X|^2 - |U_k^T X V|^2. It is differentiated
    exactly, with U_k held fixed (see `fastbutterfly.nn.variable_projection`); no
    singular value decomposition is unrolled, and rows of S X that are zero or repeated
    do no harm. Computed in double precision.

    References
    ----------
    Ailon, Leibovich and Nair (2021), Section 7.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import sketch
    >>> rng = np.random.default_rng(0)
    >>> base = rng.standard_normal((16, 2))
    >>> Xs = [base @ rng.standard_normal((2, 9)) for _ in range(20)]
    >>> Xs = [X + 0.1 * rng.standard_normal(X.shape) for X in Xs]
    >>> found = sketch.learn(Xs, 2, 2, steps=200, rng=0)
    >>> before = sketch.excess(Xs, sketch.fjlt(2, 16, rng=0), 2)
    >>> sketch.excess(Xs, found.sketch, 2) < before / 2
    True
    """
    matrices = as_matrices("matrices", matrices)
    n = matrices[0].shape[0]
    k, count = as_size("k", k), as_size("l", l)
    if not k <= count <= n:
        raise ValueError(f"l must be from k to n, {k} ... {n}, got {count}")
    kind, rng = as_choice("kind", kind, MODELS), as_generator(rng)
    as_choice("metric", metric, METRICS)
    model = make(kind, count, n, rng, nonzeros)
    if optimizer is None:
        optimizer = Adam(1e-2)
    check_optimizer(optimizer)
    if validation is not None:
        validation = as_matrices("validation", validation)
        if (rows := validation[0].shape[0]) != n:
            raise ValueError(f"validation must have {n} rows, as matrices, got {rows}")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    steps, every = as_size("steps", steps, least=0), as_size("every", every)
    batch_size = as_size("batch_size", batch_size)
    append = as_size("append", append, least=0)
    tail = [count_sketch(append, n, rng=rng)] if append else []
    run = _Run(model, optimizer, tail, k, metric, validation, callback)
    start = perf_counter()
    try:
        run.train(_Stacks(matrices, k), steps, batch_size, every, rng)
    except KeyboardInterrupt:
        run.found.interrupted = True
    run.found.seconds = perf_counter() - start
    return run.finish()


class _Stacks:
    """Transposed matrices, those of one shape in a stack, and their least errors."""

    def __init__(self, matrices, k):
        self.rows = matrices
        self.least = np.array([_least(X, k) for X in matrices])

    def take(self, chosen):
        """Stacks (count, d, n) of some, and their least errors."""
        shapes = {}
        for i in chosen:
            shapes.setdefault(self.rows[i].shape[1], []).append(i)
        for numbers in shapes.values():
            stack = np.stack([_dense(self.rows[i]).T for i in numbers])
            yield np.ascontiguousarray(stack, np.float64), self.least[numbers]


def _least(X, k):
    """Squared error of the best approximation of rank k."""
    X = X.astype(np.float64, copy=False)
    gram = _dense(X.T @ X if X.shape[0] > X.shape[1] else X @ X.T)
    return max(np.linalg.eigvalsh(gram)[: max(len(gram) - k, 0)].sum(), 0)


def _dense(X):
    return X.toarray() if hasattr(X, "tocsr") else X


class _Run:
    def __init__(self, model, optimizer, tail, k, metric, validation, callback):
        self.model, self.optimizer, self.tail, self.k = model, optimizer, tail, k
        self.metric, self.validation, self.callback = metric, validation, callback
        self.found = Learned(self.sketch())
        self.best = math.inf

    def sketch(self):
        """The learned rows as they are, and those that are not learned."""
        return (
            stack(self.model.sketch(), *self.tail)
            if self.tail
            else (self.model.sketch())
        )

    def train(self, stacks, steps, batch_size, every, rng):
        state, order = self.optimizer.init(self.model.parameters), np.empty(0, int)
        count = len(stacks.rows)
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
        for rows, least in parts:
            try:
                value, g = self.evaluate(rows, least)
            except np.linalg.LinAlgError:  # of numbers that overflow
                value = g = math.nan
            total, gradient = total + value, gradient + g
        self.check(math.isfinite(total) and np.isfinite(gradient).all())
        self.found.losses.append(total / count)
        self.optimizer.update(self.model.parameters, gradient / count, state)
        self.check(np.isfinite(self.model.parameters).all())

    def evaluate(self, rows, least):
        """Sum of a stack's excess, and its gradient."""
        A = self.model.forward(rows)
        fixed = [S.to_dense() for S in self.tail]
        if fixed:
            A = np.concatenate([A, *(rows @ S.T for S in fixed)], axis=-1)
        best = Best(A, rows)
        error = best.error(self.k)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = METRICS[self.metric](error, least)
            slope = np.ones_like(error)
            if self.metric != "squared":
                # The gradient of an error that is zero by rounding is noise.
                floor = np.finfo(float).eps * np.square(rows).sum(axis=(-2, -1))
                slope /= 2 * np.sqrt(np.maximum(error, np.maximum(floor, TINY)))
            if self.metric == "relative":
                slope /= np.sqrt(least)
        g = best.gradient(self.k)[..., : A.shape[-1] - sum(map(len, fixed))]
        g = g * slope[:, np.newaxis, np.newaxis]
        return float(values.sum()), self.model.gradient(rows, g).reshape(-1)

    def checked(self, step):
        """Validate; whether to end."""
        S = self.sketch()
        if self.validation is not None:
            try:
                with np.errstate(over="ignore", invalid="ignore"):
                    value = excess(self.validation, S, self.k, metric=self.metric)
            except ValueError:  # the matrices are fine, so S @ X overflows
                self.check(False)
            self.found.validation.append((step, value))
            if value < self.best:
                self.best, self.found.sketch = value, S
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
