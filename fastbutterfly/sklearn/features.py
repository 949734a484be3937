"""ButterflyFeatures: orthogonal random features of an RBF kernel."""

import math
from numbers import Real

import numpy as np
from joblib import effective_n_jobs
from scipy.sparse import issparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._base.arguments import as_size
from .._plans.random_features import random_waves, rotation_size
from ..nn.arguments import as_number
from .samples import as_samples, map_rows

ROUNDS = 3  # of signs and a Hadamard transform in a rotation


class ButterflyFeatures(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Random features whose inner products approximate an RBF kernel, fast.

    Stands in for ``sklearn.kernel_approximation.RBFSampler``: the same parameters, a
    smaller error, and O(n_components log n_features) operations a sample instead of
    O(n_components n_features).

    Parameters
    ----------
    gamma : float or "scale"
        Of the kernel exp(-gamma |x - y|^2); "scale": 1 / (n_features * X.var()).
    n_components : int
        Number of random features.
    random_state : int, RandomState or None
        Source of randomness.
    n_jobs : int or None
        Threads of `transform`; None: one, -1: one for each CPU.

    Attributes
    ----------
    random_signs_ : array, shape (rotations, 3, n), int8
        n: a power of two, at least n_features and 128.
    random_lengths_ : array, shape (waves,), float64
        waves = ceil(n_components / 2).
    random_offset_ : float
        Phase of the last feature if n_components is odd.
    gamma_ : float
    n_features_in_ : int
    feature_names_in_ : array, shape (n_features_in_,)
        If X has names of type str.

    Raises
    ------
    ValueError, TypeError
        In `fit`, if a parameter is not as described; for NaN, infinities and other
        numbers of features; for samples whose norm is so large that rounding leaves no
        correct digit of w_j x.

    Notes
    -----
    With w_j the rows of sqrt(2 gamma) S R, the features are sqrt(2 / n_components)
    times cos(w_j x) for all j, then sin(w_j x) for all j. R = H D_3 H D_2 H D_1 is a
    rotation of random signs D and orthonormal Hadamard transforms H, of x filled up
    with zeros. S is diagonal with independent elements, chi-distributed with n degrees
    of freedom, as the norms of the rows of a normal matrix are. There are as many R as
    are needed. An odd last feature is cos(w_j x + offset).

    If R were uniform, each w_j were normal and the kernel without bias; no bias is seen
    after three rounds. Pairs of cosine and sine have a lower error than cosines with
    random phases, and orthogonal rows a lower one than independent ones, above all for
    samples that are close, and more than Fastfood's (Le, Sarlós and Smola, 2013), which
    are not orthogonal: see benchmarks/features.py. Fewer waves than features gain less.

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines. Yu,
    Suresh, Choromanski, Holtmann-Rice and Kumar (2016), Orthogonal random features.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly.sklearn import ButterflyFeatures
    >>> X = np.random.default_rng(0).standard_normal((5, 50)) / 10
    >>> Z = ButterflyFeatures(n_components=4096, random_state=0).fit_transform(X)
    >>> K = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1))
    >>> bool(np.abs(Z @ Z.T - K).max() < 0.02)
    True
    """

    def __init__(self, *, gamma=1.0, n_components=100, random_state=None, n_jobs=None):
        self.gamma = gamma
        self.n_components = n_components
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        """Draw the random features for the number of features of X.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)
            Only its shape and dtype matter, and the variance for ``gamma="scale"``.
        y : ignored

        Returns
        -------
        self
        """
        n_components = as_size("n_components", self.n_components)
        gamma = self._checked_gamma()
        rng = check_random_state(self.random_state)
        X = as_samples(self, X, reset=True)
        self.gamma_ = _scale(X) if gamma is None else gamma
        waves = -(-n_components // 2)
        n = rotation_size(X.shape[1], waves)
        shape = -(-waves // n), ROUNDS, n
        self.random_signs_ = (1 - 2 * rng.randint(0, 2, shape)).astype(np.int8)
        self.random_lengths_ = np.sqrt(rng.chisquare(n, waves))
        self.random_offset_ = rng.uniform(0, 2 * np.pi)
        self._n_features_out = n_components
        return self

    def transform(self, X):
        """Return the features.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)

        Returns
        -------
        array, shape (samples, n_components)
            float32 for float32 X, else float64.
        """
        check_is_fitted(self)
        X = as_samples(self, X)
        return map_rows(self._features, X, self._n_features_out)

    def _features(self, x):
        _check_norms(x, self.gamma_)
        n_out, signs = self._n_features_out, self.random_signs_
        frequencies = math.sqrt(2 * self.gamma_) * self.random_lengths_
        scale, workers = math.sqrt(2 / n_out), effective_n_jobs(self.n_jobs)
        y = random_waves(x, signs, frequencies, scale, workers)
        if n_out % 2:
            last = y[:, n_out // 2]
            last *= math.cos(self.random_offset_)
            last -= math.sin(self.random_offset_) * y[:, -1]
            y = y[:, :-1].copy()
        return y

    def _checked_gamma(self):
        """A number, or None for "scale"."""
        if isinstance(self.gamma, str) and self.gamma == "scale":
            return None
        if not isinstance(self.gamma, Real):
            raise ValueError(
                f'gamma must be "scale" or a number of at least 0, got {self.gamma!r}'
            )
        return as_number("gamma", self.gamma)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_norms(x, gamma):
    """Raise if the angles, of about sqrt(2 gamma) |x|, have no correct digit."""
    if not x.size or not gamma:
        return
    with np.errstate(over="ignore"):
        largest = math.sqrt(np.einsum("ij,ij->i", x, x).max())
    limit = 1 / (math.sqrt(2 * gamma) * np.finfo(x.dtype).eps)
    if largest >= limit:
        raise ValueError(
            f"X must have samples shorter than {limit:.3g} for gamma={gamma:.3g} in "
            f"{x.dtype}, got one of length {largest:.3g}; scale the features, or lower "
            "gamma"
        )


def _scale(x):
    """1 / (n_features * variance of all elements); 1 if they are all the same."""
    variance = x.multiply(x).mean() - x.mean() ** 2 if issparse(x) else x.var()
    return float(1 / (x.shape[1] * variance)) if variance > 0 else 1.0
