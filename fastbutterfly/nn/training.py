"""fit: train a network on shuffled mini-batches."""

import math
from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._arrays import as_generator, as_size
from ._checks import as_batch, as_flag, as_positive
from .history import DivergenceError, Epoch, History
from .layer import Layer
from .losses import Loss, check_data
from .progress import reporting

EVALUATED_ROWS = 4096  # at a time in a validation


def fit(
    net: Layer,
    X: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss,
    optimizer,
    epochs: int = 10,
    batch_size: int = 64,
    rng: Generator | int | None = None,
    clip: float | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    callbacks: Iterable[Callable[[Layer, History], object]] = (),
    progress: bool | None = None,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    net : Layer
        Usually a `Sequential`.
    X : array, shape (samples, n_in)
        Real and finite; of any dtype, converted batch by batch, not modified.
    y : array
        Labels (samples,) for `CrossEntropy`, targets (samples, n_out) for `MSE`; see
        the loss.
    loss : Loss
        E.g. ``nn.CrossEntropy()``.
    optimizer : SGD, or any object with `init` and `update` as it has them
    epochs : int
        Passes over the data.
    batch_size : int
        Samples a step; the last batch of an epoch has what is left.
    rng : Generator, int or None
        Shuffles the samples, anew for each epoch, and draws what `Dropout` drops; the
        same rng gives the same bits.
    clip : float, optional
        The largest length that a step's gradient may have, over all parameters; a
        longer one keeps its direction (Pascanu, Mikolov and Bengio 2013). Positive.
    validation : (X, y), optional
        Evaluated after each epoch.
    callbacks : iterable of callable
        Called as ``callback(net, history)`` after each epoch, in order. If one returns
        True, this epoch is the last. One that has a method `end` is told when the run
        is over, also after Ctrl-C: ``callback.end(net, history)``.
    progress : bool, optional
        True: a bar on stderr, or a line an epoch where tqdm is not installed. False:
        nothing. None: as True on a terminal, else as False.

    Returns
    -------
    History
        After Ctrl-C (or a KeyboardInterrupt from a callback) the history so far, with
        `interrupted` set; the network is as it was after its last step, unless a
        callback's `end` changes it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described; the network is then unchanged.
    DivergenceError
        As soon as a loss, a gradient or the parameters are infinite or NaN.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((200, 8))
    >>> net = nn.ButterflyLinear(8, 8, rng=0)
    >>> history = nn.fit(net, X, X, loss=nn.MSE(), optimizer=nn.SGD(0.5), rng=0)
    >>> history.loss[-1] < history.loss[0]
    True
    """
    check_objects(net, loss)
    _check_optimizer(optimizer)
    data = check_data("X", X, "y", y, net, loss)
    validation = _check_validation(validation, net, loss)
    epochs = as_size("epochs", epochs, least=0)
    batch_size = as_size("batch_size", batch_size)
    if progress is not None:
        progress = as_flag("progress", progress)
    rng, callbacks = as_generator(rng), _check_callbacks(callbacks)
    if clip is not None:
        clip = as_positive("clip", clip)
    run = _Run(net, loss, optimizer, clip)
    with reporting(progress, epochs, -(-len(data[0]) // batch_size)) as report:
        try:
            for _ in range(epochs):
                start = perf_counter()
                mean_loss = run.epoch(*data, batch_size, rng, report)
                scores = run.evaluate(*validation) if validation else (None, None)
                seconds = perf_counter() - start
                run.history.epochs.append(Epoch(mean_loss, *scores, seconds))
                report.epoch(run.history)
                if tell(callbacks, net, run.history):
                    break
        except KeyboardInterrupt:
            run.history.interrupted = True
    finish(callbacks, net, run.history)
    return run.history


def tell(callbacks, net, history):
    """Call all of them; whether one of them ends the run."""
    answers = [callback(net, history) for callback in callbacks]
    history.stopped = any(isinstance(a, bool | np.bool_) and a for a in answers)
    return history.stopped


def finish(callbacks, net, history):
    """Tell those that want to know that the run is over."""
    for callback in callbacks:
        if hasattr(callback, "end"):
            callback.end(net, history)


class _Run:
    """State of one training run."""

    def __init__(self, net, loss, optimizer, clip):
        self.net, self.loss, self.optimizer = net, loss, optimizer
        self.clip = clip
        self.history = History()
        self.gradient = np.zeros_like(net.parameters)
        self.state = optimizer.init(net.parameters)

    @np.errstate(over="ignore", invalid="ignore")
    def epoch(self, x, y, batch_size, rng, report):
        """Mean loss of one pass over the samples in random order."""
        order, total, weight = rng.permutation(len(x)), 0.0, 0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            batch = as_batch(np.take(x, rows, axis=0), self.net.dtype)
            wanted = np.take(y, rows, axis=0)
            counts = self.loss.weight(wanted)
            total += self.step(batch, wanted, rng) * counts
            weight += counts
            report.step()
        return total / weight

    def step(self, x, y, rng):
        """Loss of one batch, before the update."""
        y_pred, saved = self.net.forward_training(x, rng)
        value, g = self.loss(y_pred, y)
        self.check(f"loss is {value}: it is", math.isfinite(value))
        self.net.backward(saved, g, self.gradient, input_gradient=False)
        self.check("gradient is", _all_finite(self.gradient))
        if self.clip is not None and (norm := _length(self.gradient)) > self.clip:
            self.gradient *= self.clip / norm
        self.optimizer.update(self.net.parameters, self.gradient, self.state)
        self.history.steps += 1
        self.check("parameters are", _all_finite(self.net.parameters))
        return value

    @np.errstate(over="ignore", invalid="ignore")
    def evaluate(self, x, y):
        """Mean loss and accuracy, in bounded memory."""
        total, weight, right = 0.0, 0, 0.0
        for start in range(0, len(x), EVALUATED_ROWS):
            rows = slice(start, start + EVALUATED_ROWS)
            y_pred = self.net(x[rows])
            counts = self.loss.weight(y[rows])
            total += self.loss(y_pred, y[rows])[0] * counts
            weight += counts
            accuracy = self.loss.accuracy(y_pred, y[rows])
            right = None if accuracy is None else right + accuracy * len(y_pred)
        self.check("validation loss is", math.isfinite(total))
        return total / weight, None if right is None else right / len(x)

    def check(self, what, finite):
        if not finite:
            step, epoch = self.history.steps, len(self.history.epochs) + 1
            raise DivergenceError(
                f"training diverged: the {what} not finite at step {step}, in epoch "
                f"{epoch}; a smaller learning rate may help",
                step,
                self.history,
            )


def _all_finite(array):
    # A sum shows a NaN or an infinity; only if it overflows by itself look closer.
    return bool(np.isfinite(array.sum()) or np.isfinite(array).all())


def _length(array):
    """Euclidean norm of a finite array, also where a square would overflow."""
    square = float(array @ array)
    if math.isfinite(square):
        return math.sqrt(square)
    largest = float(np.abs(array).max())
    return largest * float(np.linalg.norm(array / largest))


def check_objects(net, loss):
    """Raise unless they are what a training takes."""
    if not isinstance(net, Layer) or net.n_in is None:
        raise TypeError(
            f"net must be a layer with a size, such as a Sequential, got {net!r}"
        )
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a Loss such as nn.MSE(), got {loss!r}")


def _check_optimizer(optimizer):
    methods = (getattr(optimizer, name, None) for name in ("init", "update"))
    if isinstance(optimizer, type) or not all(map(callable, methods)):
        raise TypeError(
            f"optimizer must be an optimiser such as nn.SGD(0.1), got {optimizer!r}"
        )


def _check_validation(validation, net, loss):
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        kind = type(validation).__name__
        raise TypeError(f"validation must be None or a pair (X, y), got {kind}")
    x, y = validation
    return check_data("validation[0]", x, "validation[1]", y, net, loss)


def _check_callbacks(callbacks):
    callbacks = [callbacks] if callable(callbacks) else list(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise TypeError(f"callbacks must hold callables, got {callback!r}")
    return callbacks
