"""ButterflyAutoencoder: linear dimension reduction with a butterfly as its encoder."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._base.arguments import as_choice, as_size
from ..nn import (
    MSE,
    Adam,
    EncoderDecoder,
    History,
    cosine,
    fit,
    two_phase,
    variable_projection,
)
from ..nn.arguments import as_positive

DTYPES = np.float64, np.float32


class ButterflyAutoencoder(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Reduce the dimension linearly with a small reconstruction error, as PCA does.

    The encoder is E B with a truncated butterfly B, which has k l + 2 n log2(l) + 6 n
    weights at most in place of PCA's k n: fewer where l is small beside n and k is not.
    It is faster only for large ones, from about n = 4096 and k = 128.

    Parameters
    ----------
    n_components : int
        k, from 1 to the number of features.
    n_hidden : int or "auto"
        l, outputs of the butterfly, from k to the number of features. "auto":
        k (floor(log2(k + 1)) + 1), or the number of features if that is less.
    training : {"projection", "joint", "two-phase", "none"}
        "projection": B alone, with the best E and D for it (L-BFGS). "joint": all at
        once by Adam. "two-phase": E and D first, in closed form, then all by Adam.
        "none": B stays as it is drawn. In all cases E and D are optimal for B at the
        end.
    max_iter : int
        Iterations of "projection", or epochs.
    learning_rate_init : float
        Positive; of Adam, decays to zero along a cosine.
    batch_size : int
        Samples a step of Adam.
    random_state : int, RandomState or None
        Source of randomness.

    Attributes
    ----------
    network_ : EncoderDecoder
    mean_ : array, shape (n_features_in_,)
        Subtracted before, added after.
    reconstruction_error_ : float
        Squared Frobenius norm of the samples of `fit` minus their reconstructions.
    n_hidden_ : int
    n_iter_ : int
        Iterations or epochs done.
    n_features_in_ : int
    feature_names_in_ : array, shape (n_features_in_,)
        If X has names of type str.

    Raises
    ------
    ValueError, TypeError
        In `fit`, if a parameter is not as described; for NaN and infinities.

    Notes
    -----
    Ailon, Leibovich and Nair (2021), Sections 5 and 6.2; see
    `fastbutterfly.nn.EncoderDecoder`. The components are orthonormal directions, D,
    but their order and signs mean nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly.sklearn import ButterflyAutoencoder
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 64))
    >>> model = ButterflyAutoencoder(3, random_state=0).fit(X)
    >>> model.transform(X).shape
    (200, 3)
    >>> bool(np.allclose(model.inverse_transform(model.transform(X)), X))
    True
    """

    def __init__(
        self,
        n_components=2,
        *,
        n_hidden="auto",
        training="projection",
        max_iter=100,
        learning_rate_init=1e-2,
        batch_size=256,
        random_state=None,
    ):
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.training = training
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X, y=None):
        """Train on samples.

        Parameters
        ----------
        X : array, shape (samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        train = as_choice("training", self.training, TRAININGS)
        max_iter = as_size("max_iter", self.max_iter, least=0)
        rate = as_positive("learning_rate_init", self.learning_rate_init)
        batch_size = as_size("batch_size", self.batch_size)
        X = validate_data(self, X, dtype=DTYPES, order="C")
        k, n_hidden = self._sizes(X.shape[1])
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
        x = X - self.mean_
        options = {"k": k, "l": n_hidden, "rng": seed, "dtype": X.dtype}
        net = self.network_ = EncoderDecoder(X.shape[1], X.shape[1], **options)
        steps = max(max_iter * -(-len(x) // batch_size), 1)
        options = {"batch_size": batch_size, "progress": False, "rng": seed}
        options |= {"optimizer": Adam(cosine(rate, steps)), "epochs": max_iter}
        self.n_iter_ = len(train(net, x, options).epochs) if max_iter else 0
        self.reconstruction_error_ = net.solve(x).loss
        self.n_hidden_, self._n_features_out = n_hidden, k
        return self

    def _sizes(self, n):
        k = as_size("n_components", self.n_components)
        if k > n:
            raise ValueError(f"n_components must be at most n_features = {n}, got {k}")
        if isinstance(self.n_hidden, str):
            as_choice("n_hidden", self.n_hidden, {"auto": None})
            return k, min(n, k * int(np.log2(k + 1) + 1))
        n_hidden = as_size("n_hidden", self.n_hidden)
        if not k <= n_hidden <= n:
            raise ValueError(
                f"n_hidden must be from n_components to n_features, {k} ... {n}, "
                f"got {n_hidden}"
            )
        return k, n_hidden

    def transform(self, X):
        """Return the codes of samples.

        Parameters
        ----------
        X : array, shape (samples, n_features)

        Returns
        -------
        array, shape (samples, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=DTYPES, order="C")
        dtype = X.dtype
        return self.network_.encode(X - self.mean_).astype(dtype, copy=False)

    def inverse_transform(self, X):
        """Return the reconstructions of samples from their codes.

        Parameters
        ----------
        X : array, shape (samples, n_components)

        Returns
        -------
        array, shape (samples, n_features)
        """
        check_is_fitted(self)
        X = check_array(X, dtype=DTYPES)
        if X.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must have {self._n_features_out} columns, one for each component, "
                f"got {X.shape}"
            )
        return (self.network_.decode(X) + self.mean_).astype(X.dtype, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _joint(net, x, options):
    return fit(net, x, x, loss=MSE(), **options)


def _two_phase(net, x, options):
    return two_phase(net, x, **options).histories[1]


def _projection(net, x, options):
    return variable_projection(net, x, max_iter=options["epochs"])


TRAININGS = {
    "projection": _projection,
    "joint": _joint,
    "two-phase": _two_phase,
    "none": lambda net, x, options: History(),
}
