"""ButterflyRegressor: a network with butterfly layers that predicts numbers."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from .. import nn
from .network import Network


class ButterflyRegressor(RegressorMixin, Network):
    """Network of butterfly layers that predicts one or several numbers.

    Parameters
    ----------
    hidden_layer_sizes, activation, hidden, alpha, batch_size, learning_rate_init, \
    max_iter, random_state, tol, verbose, warm_start, early_stopping, \
    validation_fraction, n_iter_no_change
        As for `ButterflyClassifier`.

    Attributes
    ----------
    network_ : nn.Sequential
        From samples to standardised targets; has `save`.
    y_mean_, y_scale_ : array, shape (n_outputs,)
        A prediction is ``network_(X) * y_scale_ + y_mean_``.
    loss_curve_ : list of float
        Mean squared error of the standardised targets in each epoch.
    validation_loss_curve_, n_iter_, n_features_in_, feature_names_in_
        As for `ButterflyClassifier`.

    Raises
    ------
    ValueError, TypeError
        In `fit`, if a parameter is not as described; for NaN, infinities, and other
        numbers of features and outputs.
    DivergenceError
        If training diverges; a smaller `learning_rate_init` helps.

    Notes
    -----
    Targets are standardised to mean 0 and deviation 1 by their (weighted) moments in
    `fit`, or those of the first `partial_fit`. The features are used as they are: scale
    them, e.g. by ``StandardScaler`` in a pipeline. The loss is the mean squared error.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly.sklearn import ButterflyRegressor
    >>> X = np.random.default_rng(0).standard_normal((500, 20))
    >>> y = 1000 + np.sin(X[:, 0]) + X[:, 1] ** 2
    >>> model = ButterflyRegressor(max_iter=2000, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _y_numeric = True
    _loss = nn.MSE()

    def __init__(
        self,
        hidden_layer_sizes=(256,),
        activation="relu",
        *,
        hidden="butterfly",
        alpha=0.1,
        batch_size="auto",
        learning_rate_init=1e-3,
        max_iter=200,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.hidden = hidden
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change

    def fit(self, X, y, sample_weight=None):
        """Train a network.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)
        y : array, shape (samples,) or (samples, n_outputs)
        sample_weight : array, shape (samples,), optional
            How much a sample counts; not negative.

        Returns
        -------
        self
        """
        continues = self.warm_start and hasattr(self, "network_")
        data = self._prepared(X, y, sample_weight, first=not continues)
        self._train_fully(*data, None)
        return self

    def partial_fit(self, X, y, sample_weight=None):
        """Train one epoch on these samples; parameters as for `fit`."""
        first = not hasattr(self, "network_")
        self._train(*self._prepared(X, y, sample_weight, first=first), epochs=1)
        return self

    def predict(self, X):
        """Return the targets, (samples,) or (samples, n_outputs) as `fit` had them."""
        z = self._outputs(X)
        y = z * self.y_scale_.astype(z.dtype) + self.y_mean_.astype(z.dtype)
        return y[:, 0] if self._single else y

    def _prepared(self, X, y, sample_weight, *, first):
        """Samples, standardised targets, weights; a new network at first."""
        self._check_parameters()
        X, y, weights = self._checked(X, y, sample_weight, reset=first)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        single, y = y.ndim == 1, y.reshape(len(y), -1).astype(np.float64)
        if first:
            self._single = single
            self.y_mean_ = np.average(y, axis=0, weights=weights)
            deviation = np.sqrt(
                np.average((y - self.y_mean_) ** 2, axis=0, weights=weights)
            )
            self.y_scale_ = np.where(deviation > 0, deviation, 1.0)
            self._start(y.shape[1], X.dtype)
        elif y.shape[1] != self.network_.n_out:
            raise ValueError(
                f"y must have {self.network_.n_out} outputs as in the first fit, "
                f"got shape {y.shape}"
            )
        return X, ((y - self.y_mean_) / self.y_scale_).astype(X.dtype), weights

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
