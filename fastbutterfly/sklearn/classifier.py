"""ButterflyClassifier: a network with butterfly layers that predicts classes."""

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import type_of_target

from .. import nn
from .network import Network

SINGLE, MULTILABEL = ("binary", "multiclass"), "multilabel-indicator"


class ButterflyClassifier(ClassifierMixin, Network):
    """Network of butterfly layers that predicts classes, or several labels each.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Widths of the hidden layers, at least 1.
    activation : {"relu", "gelu", "tanh", "logistic", "identity"}
        After each hidden layer.
    hidden : {"butterfly", "gadget", "dense"}
        Kind of the hidden layers: `nn.ButterflyLinear`, `nn.ButterflyDense` or
        `nn.Dense`. The output layer is dense.
    alpha : float
        Weight decay of AdamW.
    batch_size : int or "auto"
        Samples a step; "auto": min(200, samples).
    learning_rate_init : float
        Of AdamW.
    max_iter : int
        Epochs at most.
    random_state : int, RandomState or None
        Source of randomness: the start, the order of samples, the validation samples.
    tol : float
        How much lower a loss must be to count as progress.
    verbose : bool
        Whether to show progress.
    warm_start : bool
        Whether `fit` continues with the network of the last `fit`.
    early_stopping : bool
        Whether to hold out samples, to stop when their loss no longer falls, and to
        return to the best epoch. Else the training loss decides when to stop.
    validation_fraction : float
        Share of the samples held out.
    n_iter_no_change : int
        Epochs without progress after which training stops.
    class_weight : dict, "balanced" or None
        Weights of the classes, by label; several labels: a list of dicts. "balanced":
        inversely proportional to their frequencies.

    Attributes
    ----------
    classes_ : array, shape (n_classes,)
    network_ : nn.Sequential
        From samples to logits; has `save`.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_loss_curve_ : list of float or None
        With `early_stopping`, after `fit`.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : array, shape (n_features_in_,)
        If X has names of type str.

    Raises
    ------
    ValueError, TypeError
        In `fit`, if a parameter is not as described or there is one class only; for
        NaN, infinities, unknown classes and other numbers of features.
    DivergenceError
        If training diverges; a smaller `learning_rate_init` helps.

    Notes
    -----
    Names and meanings are those of ``sklearn.neural_network.MLPClassifier`` except for
    `hidden`, the decoupled `alpha`, and early stopping by the loss, not the accuracy.
    The features are used as they are: scale them, e.g. by ``StandardScaler`` in a
    pipeline. Computed in float32 for float32 X, else in float64, which takes about
    twice the time. Sparse samples are made dense batch by batch.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastbutterfly.sklearn import ButterflyClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = ButterflyClassifier(random_state=0).fit(X[:1000] / 16, y[:1000])
    >>> model.score(X[1000:] / 16, y[1000:]) > 0.9
    True
    """

    _y_numeric = False

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
        class_weight=None,
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
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None):
        """Train a network.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)
        y : array, shape (samples,) or (samples, n_labels)
            Classes of any type, or zeros and ones for several labels each.
        sample_weight : array, shape (samples,), optional
            How much a sample counts; not negative.

        Returns
        -------
        self
        """
        self._check_parameters()
        continues = self.warm_start and hasattr(self, "network_")
        X, y, weights = self._checked(X, y, sample_weight, reset=not continues)
        y, multilabel = _as_labels(y)
        if not continues:
            classes = np.arange(y.shape[1]) if multilabel else np.unique(y)
            self._set_classes(classes, multilabel, X.dtype)
        targets = self._targets(y, multilabel)
        weights = self._weighted(y, weights)
        self._train_fully(X, targets, weights, None if multilabel else targets)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one epoch on these samples.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array, shape (n_classes,)
            All classes; needed at the first call, and the same later if given. Not for
            several labels each.

        Returns
        -------
        self
        """
        self._check_parameters()
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all samples, partial_fit "
                "sees some; give a dict, e.g. by "
                "sklearn.utils.class_weight.compute_class_weight"
            )
        first = not hasattr(self, "network_")
        X, y, weights = self._checked(X, y, sample_weight, reset=first)
        y, multilabel = _as_labels(y)
        if first and multilabel:
            classes = np.arange(y.shape[1])
        if first and classes is None:
            raise ValueError("classes must be given at the first call of partial_fit")
        if first:
            self._set_classes(np.unique(classes), multilabel, X.dtype)
        elif classes is not None and not np.array_equal(
            np.unique(classes), self.classes_
        ):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, "
                f"got {classes}"
            )
        targets = self._targets(y, multilabel)
        self._train(X, targets, self._weighted(y, weights), epochs=1)
        return self

    def predict(self, X):
        """Return the most probable class of each sample, or its labels as 0 and 1."""
        z = self._outputs(X)
        if self._multilabel:
            return (z > 0).astype(int)
        return self.classes_[z.argmax(axis=1)]

    def predict_proba(self, X):
        """Return probabilities, (samples, n_classes); of each label on its own."""
        z = self._outputs(X)
        return expit(z) if self._multilabel else softmax(z, axis=1)

    def predict_log_proba(self, X):
        """Return logarithms of the probabilities, computed without underflow."""
        z = self._outputs(X)
        return log_expit(z) if self._multilabel else log_softmax(z, axis=1)

    def decision_function(self, X):
        """Return logits (samples, n_classes); for two classes their difference."""
        z = self._outputs(X)
        binary = not self._multilabel and z.shape[1] == 2
        return z[:, 1] - z[:, 0] if binary else z

    def _set_classes(self, classes, multilabel, dtype):
        if len(classes) < 2 and not multilabel:
            raise ValueError(
                f"y must have at least 2 classes, got 1 class: {classes.tolist()}"
            )
        self.classes_, self._multilabel = classes, multilabel
        self._loss = nn.BinaryCrossEntropy() if multilabel else nn.CrossEntropy()
        self._start(len(classes), dtype)

    def _targets(self, y, multilabel):
        """Targets of the loss: indices of classes, or the labels."""
        known = self.classes_
        if multilabel != self._multilabel or (multilabel and y.shape[1] != len(known)):
            kind = "(samples, labels) of 0 and 1" if self._multilabel else "(samples,)"
            raise ValueError(
                f"y must be as in the first fit, {kind} with {len(known)} classes, "
                f"got shape {y.shape}"
            )
        if multilabel:
            return y
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise ValueError(
                f"y must hold classes among {known.tolist()}, got {unknown.tolist()}"
            )
        return np.searchsorted(known, y)

    def _weighted(self, y, weights):
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if weights is None else by_class * weights

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _as_labels(y):
    """(samples,) classes or (samples, labels) of 0 and 1, and whether the latter."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    kind = type_of_target(y, input_name="y", raise_unknown=True)
    if kind not in (*SINGLE, MULTILABEL):
        raise ValueError(
            "Unknown label type: y must hold classes, or rows of 0 and 1, "
            f"got {kind} values of shape {y.shape}"
        )
    return y, kind == MULTILABEL
