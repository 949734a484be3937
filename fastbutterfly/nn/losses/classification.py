"""Losses of classifiers, from logits."""

import numpy as np
from numpy.typing import ArrayLike

from ..._base.arguments import as_reals
from ..._base.memory import frozen
from ..._kernels import losses
from ..arguments import as_number, as_weights, blocks
from .base import Loss, averaged


class CrossEntropy(Loss):
    """Cross-entropy of integer labels, from logits.

    Parameters
    ----------
    class_weight : array, shape (n_out,), optional
        How much a sample of each class counts; positive.
    label_smoothing : float
        From 0 to below 1: the share of each target that is spread over all classes.

    Raises
    ------
    ValueError, TypeError
        If an option is not as described.

    Notes
    -----
    value = mean over the batch of log(sum_j exp(z_j)) - z_y for logits z and label y;
    the largest logit is subtracted first, so no exponential overflows. gradient =
    (softmax(z) - onehot(y)) / batch. Labels are ints from 0 to n_out - 1, of shape
    (batch,); not all classes need occur.

    With weights w and smoothing s, as in torch.nn.CrossEntropyLoss::

        q_j = w_j * ((1 - s) * (j == y) + s / n_out)
        value = sum over the batch of -sum_j q_j log(softmax(z)_j) / sum of its w_y

    A sample's weight multiplies its q_j and its w_y.

    References
    ----------
    Szegedy et al. (2016), Rethinking the inception architecture for computer vision,
    section 7 (smoothing).

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> value, gradient = nn.CrossEntropy()([[0.0, 0.0], [1000.0, 0.0]], [1, 0])
    >>> round(value, 4), gradient
    (0.3466, array([[ 0.25, -0.25], [ 0. , 0. ]]))
    """

    def __init__(
        self, class_weight: ArrayLike | None = None, label_smoothing: float = 0.0
    ):
        self.class_weight = as_weights("class_weight", class_weight, ndims=(1,))
        self.label_smoothing = as_number("label_smoothing", label_smoothing, below=1)

    def targets(self, name, y, rows, n_out):
        """Return y as an array of labels of shape (rows,), or raise."""
        _check_width("class_weight", self.class_weight, n_out)
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

    def weight(self, y, sample_weight=None):
        """Return the sum of the samples' weights, times those of their classes."""
        if self.class_weight is None:
            return super().weight(y, sample_weight)
        of_samples = 1 if sample_weight is None else sample_weight
        return float(np.sum(self.class_weight[y] * of_samples))

    def accuracy(self, y_pred, y):
        """Return the share of samples whose largest logit is that of the label."""
        y_pred, y = self._checked(y_pred, y)
        return float(np.mean(y_pred.argmax(axis=1) == y))

    def _evaluate(self, y_pred, y, weights=None):
        rows, n = y_pred.shape
        dtype = y_pred.dtype
        total = self.weight(y, weights) or 1
        of_row, of_class = np.empty(rows, dtype), np.empty(n, dtype)
        of_row[...] = 1 / total if weights is None else weights / total
        of_class[...] = 1 if self.class_weight is None else self.class_weight
        own = dtype.type(1 - self.label_smoothing)
        base = dtype.type(self.label_smoothing / n)
        z = np.empty((rows, n), dtype)
        losses.shift(frozen(np.ascontiguousarray(y_pred)), z)
        gradient = np.exp(z)
        labels = y.astype(np.int64)
        value = losses.cross_entropy(z, gradient, labels, of_class, of_row, own, base)
        return value, gradient


class BinaryCrossEntropy(Loss):
    """Cross-entropy of yes-or-no labels, from logits: one output for each question.

    Parameters
    ----------
    pos_weight : float or array, shape (n_out,), optional
        How much a 1 counts beside a 0; positive.

    Raises
    ------
    ValueError, TypeError
        If pos_weight is not as described.

    Notes
    -----
    y holds 0 and 1 (or booleans) and has shape (batch, n_out); for a single output
    (batch,) will do. For logits z and p = pos_weight, as torch.nn.BCEWithLogitsLoss::

        value = mean(p * y * log(1 + exp(-z)) + (1 - y) * log(1 + exp(z)))

    over the batch and the outputs, where log(1 + exp(z)) is computed as max(z, 0) +
    log1p(exp(-abs(z))), so that nothing overflows.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> value, gradient = nn.BinaryCrossEntropy()([[0.0], [1000.0]], [1, 1])
    >>> round(value, 4), gradient
    (0.3466, array([[-0.25], [-0. ]]))
    """

    def __init__(self, pos_weight: ArrayLike | None = None):
        self.pos_weight = as_weights("pos_weight", pos_weight, ndims=(0, 1))

    def targets(self, name, y, rows, n_out):
        """Return y as an array of 0 and 1 of shape (rows, n_out), or raise."""
        _check_width("pos_weight", self.pos_weight, n_out)
        y = as_reals(name, y)
        if n_out == 1 and y.shape == (rows,):
            y = y[:, None]
        if y.shape != (rows, n_out):
            raise ValueError(f"{name} must have shape ({rows}, {n_out}), got {y.shape}")
        for rows in blocks(y):
            part = y[rows]
            wrong = (part != 0) & (part != 1)
            if wrong.any():
                raise ValueError(f"{name} must hold only 0 and 1, got {part[wrong][0]}")
        return y

    def accuracy(self, y_pred, y):
        """Return the share of right answers, over all outputs: 1 where z > 0."""
        y_pred, y = self._checked(y_pred, y)
        return float(np.mean((y_pred > 0) == y))

    def _evaluate(self, y_pred, y, weights=None):
        yes = y != 0
        wrongness = np.where(yes, -y_pred, y_pred)
        small = np.exp(-np.abs(wrongness))
        values = np.maximum(wrongness, 0) + np.log1p(small)
        gradient = np.where(wrongness > 0, 1, small) / (1 + small)
        if self.pos_weight is not None:
            scale = np.where(yes, self.pos_weight.astype(y_pred.dtype), 1)
            values *= scale
            gradient *= scale
        np.negative(gradient, where=yes, out=gradient)
        return averaged(values, gradient, weights)


def _check_width(name, weights, n_out):
    """Raise unless weights is None, a scalar, or has one weight per output."""
    if weights is not None and weights.shape not in ((), (n_out,)):
        raise ValueError(
            f"{name} must have shape ({n_out},) for {n_out} outputs, "
            f"got {weights.shape}"
        )
