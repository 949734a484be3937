"""Losses of regressions: mean squared error and Huber's loss."""

import numpy as np

from ..._base.arguments import as_reals
from ..._base.memory import frozen
from ..._kernels import losses
from ..arguments import as_positive
from .base import Loss, averaged


class _Regression(Loss):
    """Base of losses of targets that have the shape of the predictions."""

    def targets(self, name, y, rows, n_out):
        """Return y as a real array of shape (rows, n_out), or raise."""
        y = as_reals(name, y)
        if y.shape != (rows, n_out):
            hint = f"; use {name}[:, None]" if y.shape == (rows,) and n_out == 1 else ""
            raise ValueError(
                f"{name} must have shape ({rows}, {n_out}), got {y.shape}{hint}"
            )
        return y


class MSE(_Regression):
    """Mean squared error, over the batch and the outputs.

    Notes
    -----
    value = mean((y_pred - y)**2), as in torch.nn.MSELoss; y has the shape of y_pred.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> value, gradient = nn.MSE()([[1.0, 2.0]], [[1.0, 4.0]])
    >>> value, gradient
    (2.0, array([[ 0., -2.]]))
    """

    def _evaluate(self, y_pred, y, weights=None):
        rows, dtype = len(y_pred), y_pred.dtype
        shares = np.ones(rows) if weights is None else weights
        shares = shares / (shares.sum() or 1) / y_pred.shape[1]
        arrays = (np.ascontiguousarray(a, dtype) for a in (y_pred, y, shares))
        gradient = np.empty(y_pred.shape, dtype)
        value = losses.squared(*map(frozen, arrays), gradient)
        return float(value), gradient


class Huber(_Regression):
    """Huber's loss: quadratic for small errors, linear for large ones.

    Parameters
    ----------
    delta : float
        Where it becomes linear; positive.

    Raises
    ------
    ValueError
        If delta is not positive and finite.

    Notes
    -----
    value = mean(h(y_pred - y)) over the batch and the outputs, h(r) = r**2 / 2 where
    abs(r) <= delta, else delta * (abs(r) - delta / 2); as in torch.nn.HuberLoss. y has
    the shape of y_pred.

    References
    ----------
    Huber (1964), Robust estimation of a location parameter.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> value, gradient = nn.Huber()([[1.0, 5.0]], [[0.5, 1.0]])
    >>> value, gradient
    (1.8125, array([[0.25, 0.5 ]]))
    """

    def __init__(self, delta: float = 1.0):
        self.delta = as_positive("delta", delta)

    def _evaluate(self, y_pred, y, weights=None):
        error = y_pred - y.astype(y_pred.dtype, copy=False)
        delta = min(self.delta, float(np.finfo(error.dtype).max))
        gradient = np.clip(error, -delta, delta)
        # Equal to h in both ranges, and no square that could overflow.
        return averaged(gradient * (error - gradient / 2), gradient, weights)
