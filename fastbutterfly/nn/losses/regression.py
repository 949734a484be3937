"""Losses: value and gradient of a batch, averaged."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import REAL, as_reals
from ..._base.memory import frozen
from ..._kernels import losses
from ..arguments import as_positive, as_sample_weight, as_samples


class Loss:
    """Base of losses: ``value, gradient = loss(y_pred, y)``."""

    def __call__(
        self, y_pred: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> tuple[float, NDArray]:
        """Return the mean loss of a batch and its gradient.

        Parameters
        ----------
        y_pred : array, shape (batch, n_out)
            Outputs of a network.
        y : array
            What they should be; see the loss.
        sample_weight : array, shape (batch,), optional
            How much each sample counts in the mean: finite, at least 0. None: all the
            same. If all are 0, so are the loss and its gradient.

        Returns
        -------
        value : float
        gradient : array, shape (batch, n_out)
            With respect to y_pred, in its dtype.

        Raises
        ------
        ValueError, TypeError
            If shapes or dtypes are not as described, or the batch is empty.
        """
        y_pred, y = self._checked(y_pred, y)
        if sample_weight is None:
            return self._evaluate(y_pred, y)
        weights = as_sample_weight("sample_weight", sample_weight, len(y))
        return self._evaluate(y_pred, y, weights)

    def accuracy(self, y_pred: ArrayLike, y: ArrayLike) -> float | None:
        """Return the share of right predictions; None where there is no such thing."""
        return None

    def targets(self, name: str, y: ArrayLike, rows: int, n_out: int) -> NDArray:
        """Return y as an array that fits predictions (rows, n_out), or raise."""
        raise NotImplementedError

    def weight(self, y: NDArray, sample_weight: NDArray | None = None) -> float:
        """Return what a batch's mean counts for beside those of other batches."""
        return len(y) if sample_weight is None else float(sample_weight.sum())

    def _checked(self, y_pred, y):
        y_pred = as_samples("y_pred", y_pred, None)
        if not y_pred.size:
            raise ValueError(f"y_pred must not be empty, got shape {y_pred.shape}")
        if y_pred.dtype.name not in REAL:
            y_pred = y_pred.astype(np.float64)
        return y_pred, self.targets("y", y, *y_pred.shape)

    def _evaluate(self, y_pred, y, weights=None):
        raise NotImplementedError

    def __repr__(self):
        options = (f"{name}={value}" for name, value in vars(self).items())
        return f"{type(self).__name__}({', '.join(options)})"


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


def averaged(losses, gradient, weights):
    """Mean over outputs and (weighted) samples, and the gradient scaled alike."""
    if weights is None:
        gradient /= gradient.size
        return float(np.mean(losses, dtype=np.float64)), gradient
    share = weights / (weights.sum() or 1) / losses.shape[1]
    gradient *= share.astype(gradient.dtype)[:, np.newaxis]
    return float(share @ losses.sum(axis=1, dtype=np.float64)), gradient
