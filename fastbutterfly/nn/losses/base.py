"""Loss: the base class, with the checks of predictions and targets."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import as_sample_weight, as_samples


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
            Targets; see the loss.
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
        """Return the weight of a batch's mean among those of other batches."""
        return len(y) if sample_weight is None else float(sample_weight.sum())

    def _checked(self, y_pred, y):
        y_pred = as_samples("y_pred", y_pred, None)
        if not y_pred.size:
            raise ValueError(f"y_pred must not be empty, got shape {y_pred.shape}")
        if y_pred.dtype.type not in (np.float32, np.float64):
            y_pred = y_pred.astype(np.float64)
        return y_pred, self.targets("y", y, *y_pred.shape)

    def _evaluate(self, y_pred, y, weights=None):
        raise NotImplementedError

    def __repr__(self):
        options = (f"{name}={value}" for name, value in vars(self).items())
        return f"{type(self).__name__}({', '.join(options)})"


def averaged(losses, gradient, weights):
    """Mean over outputs and (weighted) samples, and the gradient scaled alike."""
    if weights is None:
        gradient /= gradient.size
        return float(np.mean(losses, dtype=np.float64)), gradient
    share = weights / (weights.sum() or 1) / losses.shape[1]
    gradient *= share.astype(gradient.dtype)[:, np.newaxis]
    return float(share @ losses.sum(axis=1, dtype=np.float64)), gradient
