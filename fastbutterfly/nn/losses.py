"""Losses: value and gradient of a batch, averaged."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arrays import REAL, as_reals
from ._checks import as_samples, check_finite


class Loss:
    """Base of losses: ``value, gradient = loss(y_pred, y)``."""

    def __call__(self, y_pred: ArrayLike, y: ArrayLike) -> tuple[float, NDArray]:
        """Return the mean loss of a batch and its gradient.

        Parameters
        ----------
        y_pred : array, shape (batch, n_out)
            Outputs of a network.
        y : array
            What they should be; see the loss.

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
        return self._evaluate(y_pred, y)

    def accuracy(self, y_pred: ArrayLike, y: ArrayLike) -> float | None:
        """Return the share of right predictions; None where there is no such thing."""
        return None

    def targets(self, name: str, y: ArrayLike, rows: int, n_out: int) -> NDArray:
        """Return y as an array that fits predictions (rows, n_out), or raise."""
        raise NotImplementedError

    def _checked(self, y_pred, y):
        y_pred = as_samples("y_pred", y_pred, None)
        if not y_pred.size:
            raise ValueError(f"y_pred must not be empty, got shape {y_pred.shape}")
        if y_pred.dtype.name not in REAL:
            y_pred = y_pred.astype(np.float64)
        return y_pred, self.targets("y", y, *y_pred.shape)

    def _evaluate(self, y_pred, y):
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"


class MSE(Loss):
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

    def targets(self, name, y, rows, n_out):
        """Return y as a real array of shape (rows, n_out), or raise."""
        y = as_reals(name, y)
        if y.shape != (rows, n_out):
            hint = f"; use {name}[:, None]" if y.shape == (rows,) and n_out == 1 else ""
            raise ValueError(
                f"{name} must have shape ({rows}, {n_out}), got {y.shape}{hint}"
            )
        return y

    def _evaluate(self, y_pred, y):
        gradient = y_pred - y.astype(y_pred.dtype, copy=False)
        value = float(np.mean(gradient * gradient, dtype=np.float64))
        gradient *= 2 / gradient.size
        return value, gradient


class CrossEntropy(Loss):
    """Cross-entropy of integer labels, from logits.

    Notes
    -----
    value = mean over the batch of log(sum_j exp(z_j)) - z_y for logits z and label y;
    the largest logit is subtracted first, so no exponential overflows. gradient =
    (softmax(z) - onehot(y)) / batch. Labels are ints from 0 to n_out - 1, of shape
    (batch,).

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> value, gradient = nn.CrossEntropy()([[0.0, 0.0], [1000.0, 0.0]], [1, 0])
    >>> round(value, 4), gradient
    (0.3466, array([[ 0.25, -0.25], [ 0. , 0. ]]))
    """

    def targets(self, name, y, rows, n_out):
        """Return y as an array of labels of shape (rows,), or raise."""
        y = as_reals(name, y)
        if y.dtype.kind not in "iu":
            raise TypeError(
                f"{name} must hold integer labels, got dtype {y.dtype}; "
                f"use {name}.astype(int) if the values are whole numbers"
            )
        if y.shape != (rows,):
            raise ValueError(
                f"{name} must hold one label a sample, shape ({rows},), got {y.shape}"
            )
        if rows and (y.min() < 0 or y.max() >= n_out):
            raise ValueError(
                f"{name} must hold labels from 0 to {n_out - 1}, "
                f"got {y.min()} ... {y.max()}"
            )
        return y

    def accuracy(self, y_pred, y):
        """Return the share of samples whose largest logit is that of the label."""
        y_pred, y = self._checked(y_pred, y)
        return float(np.mean(y_pred.argmax(axis=1) == y))

    def _evaluate(self, y_pred, y):
        rows = np.arange(len(y))
        logits = y_pred - y_pred.max(axis=1, keepdims=True)
        picked = logits[rows, y]
        gradient = np.exp(logits, out=logits)
        total = gradient.sum(axis=1, keepdims=True)
        value = float(np.mean(np.log(total[:, 0]) - picked, dtype=np.float64))
        gradient /= total
        gradient[rows, y] -= 1
        gradient /= len(y)
        return value, gradient


def check_data(name_x, x, name_y, y, net, loss):
    """Return samples and targets for `net` as arrays, or raise."""
    x = as_samples(name_x, x, net.n_in)
    if not len(x):
        raise ValueError(f"{name_x} must hold at least one sample, got {x.shape}")
    y = loss.targets(name_y, y, len(x), net.n_out)
    check_finite(name_x, x, net.dtype)
    check_finite(name_y, y, net.dtype)
    return x, y
