"""ButterflyAutoencoder beside PCA."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from fastbutterfly import nn
from fastbutterfly.sklearn import ButterflyAutoencoder

DIGITS = load_digits().data / 16
TRAININGS = "projection", "joint", "two-phase", "none"


def pca_error(X, k):
    made = PCA(k).fit(X)
    return np.square(made.inverse_transform(made.transform(X)) - X).sum()


def error(made, X):
    return np.square(made.inverse_transform(made.transform(X)) - X).sum()


@pytest.mark.parametrize("k", [2, 8])
def test_is_as_good_as_pca(k):
    made = ButterflyAutoencoder(k, random_state=0).fit(DIGITS)
    least = pca_error(DIGITS, k)
    assert least <= error(made, DIGITS) * (1 + 1e-9) <= 1.01 * least
    assert made.reconstruction_error_ == pytest.approx(error(made, DIGITS), rel=1e-6)


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trainings(training, dtype):
    X = DIGITS[:300].astype(dtype)
    options = {"training": training, "max_iter": 30, "random_state": 1}
    made = ButterflyAutoencoder(4, n_hidden=6, **options).fit(X)
    start = ButterflyAutoencoder(4, n_hidden=6, training="none", random_state=1).fit(X)
    errors = [a.reconstruction_error_ for a in (made, start)]
    assert errors[0] == errors[1] if training == "none" else errors[0] < errors[1]
    assert made.n_iter_ == 0 if training == "none" else 1 <= made.n_iter_ <= 30
    assert made.transform(X).dtype == made.inverse_transform(X[:, :4]).dtype == dtype
    assert made.network_.dtype == dtype
    again = clone(made).fit(X)
    np.testing.assert_array_equal(again.transform(X), made.transform(X))


def test_mean_far_from_zero_in_float32(rng):
    X = (1e4 + rng.random((100_000, 3))).astype(np.float32)
    made = ButterflyAutoencoder(1, training="none").fit(X)
    np.testing.assert_allclose(made.mean_, X.astype(float).mean(axis=0), rtol=1e-7)


def test_codes_are_coordinates_of_orthonormal_directions():
    made = ButterflyAutoencoder(3, random_state=0).fit(DIGITS[:200])
    D = made.network_.layers[2].weights
    np.testing.assert_allclose(D @ D.T, np.eye(3), atol=1e-12)
    x = DIGITS[200:210]
    codes = made.network_.layers[0].operator.apply(x - made.mean_)
    codes = codes @ made.network_.layers[1].weights
    np.testing.assert_allclose(made.transform(x), codes, atol=1e-12)
    np.testing.assert_allclose(made.inverse_transform(codes), codes @ D + made.mean_)


def test_sizes_and_names():
    made = ButterflyAutoencoder(8, max_iter=0).fit(np.eye(100))
    assert made.n_hidden_ == 32
    assert isinstance(made.network_, nn.EncoderDecoder)
    assert made.get_feature_names_out()[7] == "butterflyautoencoder7"
    assert ButterflyAutoencoder(60, max_iter=0).fit(np.eye(64)).n_hidden_ == 64


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_components": 65}, ValueError, "n_components must be at most n_features"),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_hidden": 1}, ValueError, "n_hidden must be from n_components"),
        ({"n_hidden": "all"}, ValueError, "n_hidden must be one of 'auto'"),
        ({"training": "adam"}, ValueError, "training must be one of 'projection'"),
        ({"max_iter": -1}, ValueError, "max_iter must be at least 0"),
        ({"learning_rate_init": 0}, ValueError, "learning_rate_init must be positive"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an int"),
    ],
)
def test_bad_parameters(options, error, message):
    with pytest.raises(error, match=message):
        ButterflyAutoencoder(**options).fit(DIGITS[:20])


def test_bad_use():
    with pytest.raises(NotFittedError):
        ButterflyAutoencoder().transform(DIGITS)
    made = ButterflyAutoencoder(2, max_iter=0).fit(DIGITS[:20])
    with pytest.raises(ValueError, match="X must have 2 columns"):
        made.inverse_transform(DIGITS)
