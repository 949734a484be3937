"""ButterflyProjection: a fast Johnson-Lindenstrauss transform of samples."""

import warnings

import numpy as np
import scipy.linalg
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.exceptions import DataDimensionalityWarning
from sklearn.random_projection import johnson_lindenstrauss_min_dim
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from .._base.arguments import as_size
from ..nn.arguments import as_flag, as_positive
from ..operators.butterfly import Butterfly
from ..transforms.random import fjlt
from .samples import as_samples, map_rows


class ButterflyProjection(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Random projection that nearly keeps distances, in O(n log n) a sample.

    Stands in for ``sklearn.random_projection.GaussianRandomProjection``: the same
    parameters, errors and warnings.

    Parameters
    ----------
    n_components : int or "auto"
        Number of coordinates to keep; "auto": what the Johnson-Lindenstrauss lemma
        requires for the number of samples and eps, at most the number of features.
    eps : float
        Positive; the relative error of squared distances that "auto" allows.
    compute_inverse_components : bool
        Whether `fit` computes the pseudo-inverse for `inverse_transform`, which else
        computes it at every call.
    random_state : int, RandomState or None
        Source of randomness.

    Attributes
    ----------
    operator_ : Butterfly, shape (n_components_, n_features_in_)
        The projection, `fastbutterfly.fjlt`.
    components_ : array, shape (n_components_, n_features_in_)
        Its matrix, computed at each access.
    inverse_components_ : array, shape (n_features_in_, n_components_)
        Pseudo-inverse of the matrix; only with `compute_inverse_components`.
    n_components_ : int
    n_features_in_ : int
    feature_names_in_ : array, shape (n_features_in_,)
        If X has names of type str.

    Raises
    ------
    ValueError, TypeError
        In `fit`, if a parameter is not as described or "auto" gives more coordinates
        than features; for NaN, infinities and other numbers of features.

    Notes
    -----
    J = sqrt(n / n_components) S H D with random signs D, the orthonormal Hadamard
    transform H of size n, a power of two, and S that keeps coordinates drawn at random
    (Ailon and Chazelle, 2009). E |J x|^2 = |x|^2. The bound of "auto" is
    ``sklearn.random_projection.johnson_lindenstrauss_min_dim``, which is proven for
    normal matrices; what is proven for this transform has further logarithms (Ailon and
    Liberty, 2009). On real data both keep distances alike.

    The dtype follows NumPy's rules from those of X in `fit` and in `transform`. Where
    n_features is a power of two, `inverse_transform` takes O(n log n) too.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly.sklearn import ButterflyProjection
    >>> X = np.random.default_rng(0).standard_normal((100, 5000))
    >>> projection = ButterflyProjection(eps=0.3, random_state=0)
    >>> projection.fit_transform(X).shape
    (100, 511)
    """

    def __init__(
        self,
        n_components="auto",
        *,
        eps=0.1,
        compute_inverse_components=False,
        random_state=None,
    ):
        self.n_components = n_components
        self.eps = eps
        self.compute_inverse_components = compute_inverse_components
        self.random_state = random_state

    def fit(self, X, y=None):
        """Draw the projection for the number of features of X.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)
            Only its shape and dtype matter.
        y : ignored

        Returns
        -------
        self
        """
        eps = as_positive("eps", self.eps)
        inverse = as_flag("compute_inverse_components", self.compute_inverse_components)
        rng = check_random_state(self.random_state)
        auto = isinstance(self.n_components, str) and self.n_components == "auto"
        wanted = None if auto else as_size("n_components", self.n_components)
        X = as_samples(self, X, reset=True)
        k = _by_the_lemma(*X.shape, eps) if auto else wanted
        if k > X.shape[1]:
            warnings.warn(
                f"n_components={k} is more than the {X.shape[1]} features: the "
                "projection does not reduce their number",
                DataDimensionalityWarning,
                stacklevel=2,
            )
        seed = rng.randint(np.iinfo(np.int32).max)
        self.operator_ = _draw(k, X.shape[1], X.dtype, seed)
        self.n_components_ = self._n_features_out = k
        if inverse:
            self.inverse_components_ = scipy.linalg.pinv(self.components_)
        return self

    @property
    def components_(self):
        """Matrix of the projection, computed at each access."""
        check_is_fitted(self, "operator_")
        return self.operator_.to_dense()

    def transform(self, X):
        """Return the projected samples.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_features)

        Returns
        -------
        array, shape (samples, n_components)
        """
        check_is_fitted(self)
        X = as_samples(self, X)
        return map_rows(self.operator_.apply, X, self.n_components_)

    def inverse_transform(self, X):
        """Return the minimum-norm samples whose projection is X.

        Parameters
        ----------
        X : array or sparse matrix, shape (samples, n_components)

        Returns
        -------
        array, shape (samples, n_features)
        """
        check_is_fitted(self)
        X = check_array(X, dtype=[np.float64, np.float32], accept_sparse="csr")
        k, n = self.operator_.shape
        if X.shape[1] != k:
            raise ValueError(
                f"X must have {k} columns, one for each component, got {X.shape}"
            )
        if self.compute_inverse_components:
            return X @ self.inverse_components_.T
        if k <= n and not n & (n - 1):
            # J J^T = (n / k) I, so the pseudo-inverse is J^T k / n.
            transpose = self.operator_.T
            return map_rows(lambda x: transpose.apply(x) * x.dtype.type(k / n), X, n)
        return X @ scipy.linalg.pinv(self.components_).T

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _by_the_lemma(samples, features, eps):
    """Number of coordinates that nearly keeps all distances, or raise."""
    k = int(johnson_lindenstrauss_min_dim(n_samples=samples, eps=eps))
    if not 1 <= k <= features:
        raise ValueError(
            f"eps={eps} and n_samples={samples} lead to a target dimension of {k}, "
            f"which must lie in 1 ... n_features={features}; give n_components, or a "
            "larger eps"
        )
    return k


def _draw(k, features, dtype, seed):
    """FJLT of shape (k, features), also with k > features."""
    J = fjlt(k, max(k, features), dtype=dtype, rng=seed)
    inputs = np.arange(features)
    return Butterfly(J.weights, inputs=inputs, outputs=J.outputs)
