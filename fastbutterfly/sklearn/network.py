"""What ButterflyClassifier and ButterflyRegressor share: a network and its training."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from .. import nn
from .._base.arguments import as_choice, as_size
from ..nn.arguments import as_flag, as_number, as_positive
from .samples import as_samples
from .training import Continued, Plateau

HIDDEN = {
    "butterfly": nn.ButterflyLinear,
    "gadget": nn.ButterflyDense,
    "dense": nn.Dense,
}
ACTIVATIONS = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "identity": None,
}
LARGEST_BATCH = 200  # of batch_size="auto", as in scikit-learn


class Network(BaseEstimator):
    """Base: a subclass turns y into targets, has a `_loss`, and predicts."""

    def _check_parameters(self):
        """Raise if a parameter is invalid for any data."""
        self._widths()
        as_choice("hidden", self.hidden, HIDDEN)
        as_choice("activation", self.activation, ACTIVATIONS)
        for name in ("verbose", "warm_start", "early_stopping"):
            as_flag(name, getattr(self, name))
        for name in ("alpha", "tol"):
            as_number(name, getattr(self, name))
        as_positive("learning_rate_init", self.learning_rate_init)
        for name in ("max_iter", "n_iter_no_change"):
            as_size(name, getattr(self, name))
        share = as_positive("validation_fraction", self.validation_fraction)
        if share >= 1:
            raise ValueError(f"validation_fraction must be below 1, got {share}")
        if not isinstance(self.batch_size, str) or self.batch_size != "auto":
            as_size("batch_size", self.batch_size)

    def _widths(self):
        widths = self.hidden_layer_sizes
        if isinstance(widths, Integral):
            widths = (widths,)
        if isinstance(widths, str | Real) or not np.iterable(widths):
            raise TypeError(
                "hidden_layer_sizes must be an int or a sequence of ints, "
                f"got {self.hidden_layer_sizes!r}"
            )
        return [as_size("hidden_layer_sizes", width) for width in widths]

    def _checked(self, X, y, sample_weight, *, reset):
        """Samples, y and weights as arrays; samples of weight 0 are left out."""
        X, y = validate_data(
            self,
            X,
            y,
            reset=reset,
            accept_sparse="csr",
            multi_output=True,
            dtype=[np.float64, np.float32],
            y_numeric=self._y_numeric,
        )
        if sample_weight is None:
            return X, y, None
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
        if weights.min() < 0 or not weights.any():
            raise ValueError(
                "sample_weight must not be negative, and positive for a sample at "
                f"least, got {weights.min()} ... {weights.max()}"
            )
        used = weights > 0
        return X[used], y[used], weights[used]

    def _start(self, n_out, dtype):
        """Set a new network, generator and optimiser."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self._rng = np.random.default_rng(seed)
        options = {"rng": self._rng, "dtype": dtype}
        layers, width = [], self.n_features_in_
        for n in self._widths():
            layers.append(HIDDEN[self.hidden](width, n, **options))
            if ACTIVATIONS[self.activation] is not None:
                layers.append(ACTIVATIONS[self.activation]())
            width = n
        self.network_ = nn.Sequential(*layers, nn.Dense(width, n_out, **options))
        self.n_iter_, self.loss_curve_ = 0, []
        self._start_optimizer()

    def _start_optimizer(self):
        rate, decay = self.learning_rate_init, self.alpha
        self._optimizer = Continued(nn.Adam(rate, weight_decay=decay))

    def _train(self, X, targets, weights, epochs, callbacks=(), validation=None):
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = min(LARGEST_BATCH, X.shape[0])
        history = nn.fit(
            self.network_,
            X,
            targets,
            sample_weight=weights,
            loss=self._loss,
            optimizer=self._optimizer,
            epochs=epochs,
            batch_size=batch_size,
            rng=self._rng,
            validation=validation,
            callbacks=callbacks,
            progress=self.verbose,
        )
        self.n_iter_ += len(history.epochs)
        self.loss_curve_ += history.loss
        return history

    def _train_fully(self, X, targets, weights, stratify):
        """Train until the loss, or that of validation samples, no longer falls."""
        if self.warm_start:
            self._start_optimizer()
        data, validation = (X, targets, weights), None
        if self.early_stopping:
            data, validation = self._split(*data, stratify)
            callback = nn.EarlyStopping(self.n_iter_no_change, self.tol)
        else:
            callback = Plateau(self.n_iter_no_change, self.tol)
        history = self._train(*data, self.max_iter, [callback], validation)
        self.validation_loss_curve_ = history.validation_loss if validation else None
        if history.interrupted:
            warnings.warn("training was interrupted", UserWarning, stacklevel=3)
        elif not history.stopped:
            warnings.warn(
                f"the loss still falls after max_iter={self.max_iter} epochs; a larger "
                "max_iter may help",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _split(self, X, targets, weights, stratify):
        """Training and validation samples, (X, targets, weights) each.

        Without weights the training samples have None, the validation samples a pair.
        """
        parts = [X, targets] if weights is None else [X, targets, weights]
        parts = train_test_split(
            *parts,
            test_size=self.validation_fraction,
            random_state=int(self._rng.integers(2**31)),
            stratify=stratify,
        )
        kept, left_out = parts[::2], parts[1::2]
        return (kept if len(kept) == 3 else [*kept, None]), tuple(left_out)

    def _outputs(self, X):
        """Outputs of the network, (samples, n_out)."""
        check_is_fitted(self)
        return self.network_(as_samples(self, X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
