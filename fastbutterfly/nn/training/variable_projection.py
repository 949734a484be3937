"""variable_projection: train the butterfly alone, with the best E and D for it."""

import math
from collections.abc import Callable
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from ..._base.arguments import as_size
from ...approximation import ProjectedLowRank
from ..layers.encoder_decoder import EncoderDecoder
from ..layers.layer import Layer
from .fit import call_callbacks, check_optimizer, end_callbacks
from .history import DivergenceError, Epoch, History


def variable_projection(
    net: EncoderDecoder,
    X: ArrayLike,
    Y: ArrayLike | None = None,
    *,
    optimizer=None,
    max_iter: int = 100,
    callback: Callable[[Layer, History], object] | None = None,
) -> History:
    """Minimise |D E B X - Y|^2 over B, with E and D eliminated; then set them.

    Parameters
    ----------
    net : EncoderDecoder
        Trained in place. E and D as they start do not matter.
    X : array, shape (samples, n_in)
        Real and finite; all of it counts in each iteration. A sparse matrix of SciPy
        becomes dense.
    Y : array, shape (samples, n_out), optional
        None: X.
    optimizer : SGD, Adam, or any object with `init` and `update` as they have them
        None: L-BFGS, which needs no learning rate.
    max_iter : int
        Maximum number of iterations; L-BFGS may end earlier.
    callback : callable, optional
        Called as ``callback(net, history)`` after each iteration, E and D not set yet;
        as for `fit`.

    Returns
    -------
    History
        An epoch is an iteration, its loss |D E B X - Y|^2 with the best E and D:
        before the step with an optimizer, after it with L-BFGS.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described; the network is then unchanged.
    DivergenceError
        If a loss, a gradient or the weights are infinite or NaN.

    Notes
    -----
    With P the projection onto the range of the samples B x, and s_i the singular values
    of P Y, the loss is |Y|^2 - (s_1^2 + ... + s_k^2). Its gradient is exact without a
    derivative of a singular value decomposition, since the best E and D can be held
    fixed (Golub and Pereyra, 1973; the envelope theorem).

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((40, 16))
    >>> net = nn.EncoderDecoder(16, 16, k=2, l=3, rng=0, dtype=np.float64)
    >>> before = net.solve(X).loss
    >>> nn.variable_projection(net, X, max_iter=50).loss[-1] < before
    True
    """
    if not isinstance(net, EncoderDecoder):
        raise TypeError(f"net must be an EncoderDecoder, got {net!r}")
    if optimizer is not None:
        check_optimizer(optimizer)
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be callable, got {callback!r}")
    max_iter = as_size("max_iter", max_iter, least=0)
    x, y = net._data(X, Y)
    run = _ProjectedLoss(net, x, y, [] if callback is None else [callback])
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            minimise = run.first_order if optimizer else run.lbfgs
            minimise(optimizer, max_iter)
    except KeyboardInterrupt:
        run.history.interrupted = True
    finally:
        run.weights[...] = run.accepted
    net.solve(x, y)
    end_callbacks(run.callbacks, net, run.history)
    return run.history


class _ProjectedLoss:
    """The loss as a function of the butterfly's weights, and the history of the run."""

    def __init__(self, net, x, y, callbacks):
        self.net, self.x, self.y, self.callbacks = net, x, y, callbacks
        self.layer, self.k = net.layers[0], net.layers[1].n_out
        self.weights = self.layer.parameters
        self.accepted = self.weights.copy()
        self.history, self.start = History(), perf_counter()

    def evaluate(self, weights, unit=1.0):
        """Loss, and its gradient in units of `unit`."""
        self.weights[...] = weights
        A, saved = self.layer.forward(self.x)
        gradient = np.full_like(self.weights, np.nan)
        value = math.nan
        if np.isfinite(A).all():
            try:
                best = ProjectedLowRank(A.astype(np.float64), self.y)
            except np.linalg.LinAlgError:  # the outputs overflow
                self.check(False)
            value = float(best.error(self.k))
            g = (best.gradient(self.k) / unit).astype(A.dtype)
            self.layer.backward(saved, g, gradient, input_gradient=False)
        self.check(math.isfinite(value) and np.isfinite(gradient).all())
        return value, gradient

    def check(self, finite):
        """Raise if something is not finite."""
        if not finite:
            steps = self.history.steps
            raise DivergenceError(
                f"training diverged: the loss, its gradient or the weights are not "
                f"finite in iteration {steps + 1}; a smaller learning rate may help",
                steps,
                self.history,
            )

    def first_order(self, optimizer, max_iter):
        state = optimizer.init(self.weights)
        for _ in range(max_iter):
            value, gradient = self.evaluate(self.weights)
            optimizer.update(self.weights, gradient, state)
            self.check(np.isfinite(self.weights).all())
            if self.accept(value):
                break
        self.check(np.isfinite(self.layer.forward(self.x)[0]).all())

    def lbfgs(self, _, max_iter):
        # It is slow to import, and nothing else here needs it.
        from scipy.optimize import minimize

        eps = float(np.finfo(self.weights.dtype).eps)
        scale = float(np.square(self.y).sum()) or 1.0

        def accept(intermediate_result):
            self.weights[...] = intermediate_result.x
            if self.accept(float(intermediate_result.fun) * eps * scale):
                raise StopIteration

        def scaled(weights):
            # In units of eps |Y|^2: ftol takes values below one for one.
            value, gradient = self.evaluate(weights, scale)
            return value / scale / eps, gradient.astype(np.float64) / eps

        limits = {"maxiter": max_iter, "maxfun": 2**31 - 1, "ftol": eps, "gtol": 0.0}
        if max_iter:
            start = self.weights.astype(np.float64)
            options = {"jac": True, "callback": accept, "options": limits}
            minimize(scaled, start, method="L-BFGS-B", **options)

    def accept(self, value):
        """Record the end of an iteration; return whether a callback ends the run."""
        self.accepted[...] = self.weights
        seconds = perf_counter() - self.start
        self.history.epochs.append(Epoch(value, None, None, seconds))
        self.history.steps += 1
        ends = call_callbacks(self.callbacks, self.net, self.history)
        self.start = perf_counter()
        return ends
