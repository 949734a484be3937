"""lbfgs: train a small network on all samples at once."""

import math
from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from ..._base.arguments import as_size
from ..arguments import as_batch, check_data, check_weights, rows_of
from ..layers.layer import Layer
from ..losses import Loss
from .fit import call_callbacks, check_objects, end_callbacks
from .history import DivergenceError, Epoch, History


def lbfgs(
    net: Layer,
    X: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss,
    sample_weight: ArrayLike | None = None,
    max_iter: int = 100,
    batch_size: int = 4096,
    callback: Callable[[Layer, History], object] | None = None,
) -> History:
    """Train a network in place by L-BFGS, with SciPy's implementation.

    Parameters
    ----------
    net, X, y, loss, sample_weight
        As for `fit`; X and y are arrays.
    max_iter : int
        Maximum number of iterations. The run ends earlier when an iteration lowers the
        loss by less than its rounding error.
    batch_size : int
        Samples that are computed at a time. It bounds the memory; all samples count in
        each iteration.
    callback : callable, optional
        Called as ``callback(net, history)`` after each iteration; as for `fit`.

    Returns
    -------
    History
        An epoch is an iteration here, its loss that of all samples after it. After
        Ctrl-C `interrupted` is set; the network is as it was after its last iteration.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described; the network is then unchanged.
    DivergenceError
        As soon as a loss or a gradient is infinite or NaN; the network is then as it
        was after its last iteration.

    Notes
    -----
    There is no learning rate; each iteration passes over the samples once or a few
    times. The method suits small data sets and smooth networks, and float64 if the last
    digits count.

    References
    ----------
    Liu and Nocedal (1989), On the limited memory BFGS method for large scale
    optimization. ``scipy.optimize.minimize(method="L-BFGS-B")``.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((200, 8))
    >>> net = nn.Dense(8, 8, rng=0, dtype=np.float64)
    >>> history = nn.lbfgs(net, X, 2 * X, loss=nn.MSE())
    >>> bool(np.allclose(net(X), 2 * X, atol=1e-4))
    True
    """
    # It is slow to import, and nothing else here needs it.
    from scipy.optimize import minimize

    check_objects(net, loss)
    if not net.parameters.size:
        raise ValueError(f"net must have parameters to train, got {net!r}")
    x, y = check_data("X", X, "y", y, net, loss)
    weights = check_weights("sample_weight", sample_weight, len(y))
    targets = [y] if weights is None else [y, weights]
    max_iter = as_size("max_iter", max_iter, least=0)
    batch_size = as_size("batch_size", batch_size)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    callbacks = [] if callback is None else [callback]
    run = _Objective(net, loss, x, targets, batch_size, callbacks)
    eps = float(np.finfo(net.parameters.dtype).eps)
    options = {"maxiter": max_iter, "maxfun": 2**31 - 1, "ftol": eps, "gtol": 0.0}
    try:
        if max_iter:
            minimize(
                run.evaluate,
                run.accepted.astype(np.float64),
                method="L-BFGS-B",
                jac=True,
                callback=run.accept,
                options=options,
            )
    except KeyboardInterrupt:
        run.history.interrupted = True
    finally:
        net.parameters[...] = run.accepted
    end_callbacks(callbacks, net, run.history)
    return run.history


class _Objective:
    """The mean loss of all samples as a function of the parameters, and its history."""

    def __init__(self, net, loss, x, targets, batch_size, callbacks):
        self.net, self.loss, self.x, self.targets = net, loss, x, targets
        self.batch_size, self.callbacks = batch_size, callbacks
        self.history, self.start = History(), perf_counter()
        self.accepted = net.parameters.copy()

    @np.errstate(over="ignore", invalid="ignore")
    def evaluate(self, parameters):
        """Mean loss of all samples, and its gradient in double precision."""
        self.net.parameters[...] = parameters
        part = np.zeros_like(self.accepted)
        total, total_weight, gradient = 0.0, 0, np.zeros(part.shape)
        for start in range(0, self.x.shape[0], self.batch_size):
            rows = slice(start, start + self.batch_size)
            x, targets = rows_of(self.x, rows), [array[rows] for array in self.targets]
            y_pred, saved = self.net.forward(as_batch(x, self.net.dtype))
            value, g = self.loss(y_pred, *targets)
            self.net.backward(saved, g, part, input_gradient=False)
            weight = self.loss.weight(*targets)
            total += value * weight
            gradient += weight * part.astype(np.float64)
            total_weight += weight
        if not (math.isfinite(total) and np.isfinite(gradient).all()):
            raise DivergenceError(
                f"training diverged: the loss is {total / total_weight} or its "
                f"gradient is not finite in iteration {self.history.steps + 1}; "
                "smaller features or targets may help",
                self.history.steps,
                self.history,
            )
        return total / total_weight, gradient / total_weight

    def accept(self, intermediate_result):
        """Record the end of an iteration; SciPy goes by the argument's name."""
        self.accepted[...] = self.net.parameters[...] = intermediate_result.x
        value, seconds = float(intermediate_result.fun), perf_counter() - self.start
        self.history.epochs.append(Epoch(value, None, None, seconds))
        self.history.steps += 1
        if call_callbacks(self.callbacks, self.net, self.history):
            raise StopIteration
        self.start = perf_counter()
