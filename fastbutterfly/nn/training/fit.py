"""fit: train a network on shuffled mini-batches."""

import os
from collections.abc import Callable, Iterable
from time import perf_counter

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from ..._base.arguments import as_generator, as_size
from ..arguments import as_flag, as_positive, check_data, check_weights
from ..layers.layer import Layer
from ..losses import Loss
from .checkpoint import Checkpoint
from .data import make_data
from .history import Epoch, History
from .progress import reporting
from .run import TrainingRun


def fit(
    net: Layer,
    X: ArrayLike | Iterable,
    y: ArrayLike | None = None,
    *,
    loss: Loss,
    optimizer,
    sample_weight: ArrayLike | None = None,
    epochs: int = 10,
    batch_size: int | None = None,
    rng: Generator | int | None = None,
    clip: float | None = None,
    validation: tuple[ArrayLike, ...] | None = None,
    callbacks: Iterable[Callable[[Layer, History], object]] = (),
    progress: bool | None = None,
    checkpoint: str | os.PathLike | None = None,
) -> History:
    """Train a network in place.

    Parameters
    ----------
    net : Layer
        Usually a `Sequential`.
    X : array, shape (samples, n_in), or iterable of batches
        Real and finite; of any dtype, converted batch by batch, not modified. It may be
        a `numpy.memmap`, of which no more than a batch is in memory, or a sparse
        matrix of SciPy, of which a batch at a time becomes dense. Without y: an
        iterable that is gone through once an epoch and gives pairs (X, y), or triples
        (X, y, sample_weight), in the order in which they are trained on.
    y : array, optional
        Labels (samples,) for `CrossEntropy`, targets (samples, n_out) for `MSE`; see
        the loss.
    loss : Loss
        E.g. ``nn.CrossEntropy()``.
    optimizer : SGD, or any object with `init` and `update` as it has them
    sample_weight : array, shape (samples,), optional
        How much each sample counts in the mean of its batch: finite, at least 0, and
        not all 0. None: all the same.
    epochs : int
        Passes over the data.
    batch_size : int, optional
        Samples a step; the last batch of an epoch may be smaller. None: 64, or the
        batches of the iterable.
    rng : Generator, int or None
        Shuffles the samples, anew for each epoch, and draws what `Dropout` drops; the
        same rng gives the same bits.
    clip : float, optional
        The largest Euclidean norm of a step's gradient, over all parameters; a gradient
        beyond is scaled down to it (Pascanu, Mikolov and Bengio 2013). Positive.
    validation : (X, y) or (X, y, sample_weight), optional
        Evaluated after each epoch; its accuracy is that without weights.
    callbacks : iterable of callable
        Called as ``callback(net, history)`` after each epoch, in order. If one returns
        True, this epoch is the last. One that has a method `end` is told when the run
        is over, also after Ctrl-C: ``callback.end(net, history)``.
    progress : bool, optional
        True: a bar on stderr, or a line an epoch where tqdm is not installed. False:
        nothing. None: as True on a terminal, else as False.
    checkpoint : str or path, optional
        A file with the state of the run, written after each epoch at once or not at
        all. If it is there already, the run goes on from it, also the state of `rng`:
        the same arguments, and the same batches from an iterable, give the same bits
        as a run that was never interrupted, with as many epochs as `epochs` says in
        all. One of another network, loss, optimiser or options, or of data of other
        shapes, is refused. Callbacks that have a state say so by methods ``state()``
        and ``resume(state, history)``.

    Returns
    -------
    History
        After Ctrl-C (or a KeyboardInterrupt from a callback) the history so far, with
        `interrupted` set; the network is as it was after its last step, unless a
        callback's `end` changes it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described; the network is then unchanged. If a batch
        of an iterable is not as described; what was trained before remains.
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
    check_optimizer(optimizer)
    validation = check_validation(validation, net, loss)
    epochs = as_size("epochs", epochs, least=0)
    if batch_size is not None:
        batch_size = as_size("batch_size", batch_size)
    data = make_data(X, y, sample_weight, batch_size, epochs, net, loss)
    if progress is not None:
        progress = as_flag("progress", progress)
    rng, callbacks = as_generator(rng), _check_callbacks(callbacks)
    if clip is not None:
        clip = as_positive("clip", clip)
    run = TrainingRun(net, loss, optimizer, clip, rng)
    file = None
    if checkpoint is not None:
        file = Checkpoint(checkpoint, run, data, validation, callbacks)
    done = len(run.history.epochs)
    with reporting(progress, epochs, data.count, done) as report:
        try:
            for _ in range(done, done if run.history.stopped else epochs):
                start = perf_counter()
                mean_loss = run.epoch(data, report)
                scores = run.evaluate(*validation) if validation else (None, None)
                seconds = perf_counter() - start
                run.history.epochs.append(Epoch(mean_loss, *scores, seconds))
                report.epoch(run.history)
                ends = call_callbacks(callbacks, net, run.history)
                if file:
                    file.write()
                if ends:
                    break
        except KeyboardInterrupt:
            run.history.interrupted = True
    end_callbacks(callbacks, net, run.history)
    return run.history


def call_callbacks(callbacks, net, history):
    """Call the callbacks after an epoch; return whether one of them ends the run."""
    answers = [callback(net, history) for callback in callbacks]
    history.stopped = any(isinstance(a, bool | np.bool_) and a for a in answers)
    return history.stopped


def end_callbacks(callbacks, net, history):
    """Tell the callbacks that have a method `end` that the run is over."""
    for callback in callbacks:
        if hasattr(callback, "end"):
            callback.end(net, history)


def check_objects(net, loss):
    """Raise unless the network has a size and the loss is a Loss."""
    if not isinstance(net, Layer) or net.n_in is None:
        raise TypeError(
            f"net must be a layer with a size, such as a Sequential, got {net!r}"
        )
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must be a Loss such as nn.MSE(), got {loss!r}")


def check_optimizer(optimizer):
    """Raise unless the optimiser has the methods `init` and `update`."""
    methods = (getattr(optimizer, name, None) for name in ("init", "update"))
    if isinstance(optimizer, type) or not all(map(callable, methods)):
        raise TypeError(
            f"optimizer must be an optimiser such as nn.SGD(0.1), got {optimizer!r}"
        )


def check_validation(validation, net, loss):
    """None, or samples, targets and weights to validate with, or raise."""
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
        kind = type(validation).__name__
        raise TypeError(
            "validation must be None, a pair (X, y) or a triple (X, y, sample_weight), "
            f"got {kind}"
        )
    x, y, *weights = validation
    x, y = check_data("validation[0]", x, "validation[1]", y, net, loss)
    return x, y, *(check_weights("validation[2]", w, x.shape[0]) for w in weights)


def _check_callbacks(callbacks):
    callbacks = [callbacks] if callable(callbacks) else list(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise TypeError(f"callbacks must hold callables, got {callback!r}")
    return callbacks
