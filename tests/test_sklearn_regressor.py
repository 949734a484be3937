"""ButterflyRegressor: standardised targets, several outputs, its ways of training."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastbutterfly.sklearn import ButterflyRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(**options):
    """Quick to train, on all samples at once."""
    defaults = {"max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}
    options = {"hidden_layer_sizes": 20, **defaults, **options}
    return ButterflyRegressor(**options)


@pytest.fixture
def data(rng):
    X = rng.standard_normal((150, 9))
    return X, np.stack([100 + X[:, 0], 1e-3 * X[:, 1] * X[:, 2]], axis=1)


def test_diabetes_about_as_well_as_a_linear_model():
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0)
    model = ButterflyRegressor(random_state=0, early_stopping=True)
    ours = make_pipeline(StandardScaler(), model).fit(X, y).score(X_test, y_test)
    linear = LinearRegression().fit(X, y).score(X_test, y_test)
    assert ours > linear - 0.1 > 0.2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_learns_targets_of_any_scale(data, dtype):
    X, Y = data
    X = X.astype(dtype)
    model = small(max_iter=600, hidden_layer_sizes=64).fit(X, Y)
    assert np.allclose(model.y_mean_, Y.mean(axis=0))
    assert np.allclose(model.y_scale_, Y.std(axis=0))
    predicted = model.predict(X)
    assert predicted.dtype == dtype
    wanted = model.network_(X) * Y.std(axis=0) + Y.mean(axis=0)
    assert np.allclose(predicted, wanted, rtol=1e-5)
    assert (((predicted - Y) ** 2).mean(axis=0) < 0.2 * Y.var(axis=0)).all()


def test_one_output_is_one_column(data):
    X, Y = data
    flat = small().fit(X, Y[:, 0])
    assert flat.predict(X).shape == (150,)
    with pytest.warns(UserWarning, match="1d array"):
        column = small().fit(X, Y[:, :1])
    assert np.array_equal(column.predict(X), flat.predict(X))
    assert small().fit(X, Y).predict(X).shape == (150, 2)


def test_partial_fits_are_epochs_of_one_fit(data):
    X, Y = data
    model = small(batch_size=32)
    for _ in range(4):
        model.partial_fit(X, Y)
    whole = small(batch_size=32, max_iter=4).fit(X, Y)
    assert np.array_equal(model.network_.parameters, whole.network_.parameters)
    model.partial_fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="y must have 2 outputs"):
        model.partial_fit(X, Y[:, 0])


def test_weights_count_samples(data):
    X, Y = data
    weights = np.arange(150) % 3 + 0.0
    weighted = small().fit(X, Y, sample_weight=weights)
    repeats = weights.astype(int)
    repeated = small().fit(np.repeat(X, repeats, 0), np.repeat(Y, repeats, 0))
    assert np.allclose(weighted.y_scale_, repeated.y_scale_)
    assert np.allclose(weighted.predict(X), repeated.predict(X), atol=1e-7)
    assert not np.allclose(weighted.predict(X), small().fit(X, Y).predict(X), atol=1e-3)


def test_constant_targets(data):
    X, _ = data
    model = small(max_iter=300).fit(X, np.full(150, 7.0))
    assert np.allclose(model.predict(X), 7, atol=0.1)


def test_sparse_copies_and_seeds(data, rng):
    X, Y = data
    X = np.where(rng.random(X.shape) < 0.5, X, 0)
    model = small().fit(X, Y)
    predicted = model.predict(X)
    assert np.array_equal(small().fit(csr_array(X), Y).predict(csr_array(X)), predicted)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), predicted)
    assert np.array_equal(clone(model).fit(X, Y).predict(X), predicted)
    assert not np.array_equal(small(random_state=1).fit(X, Y).predict(X), predicted)


def test_warm_start_goes_on(data):
    X, Y = data
    model = small(warm_start=True).fit(X, Y)
    net, mean = model.network_, model.y_mean_
    model.fit(X[:50], Y[:50])
    assert model.network_ is net
    assert model.y_mean_ is mean
    assert model.n_iter_ == 60


def test_wrong_samples(data):
    X, Y = data
    with pytest.raises(NotFittedError):
        small().predict(X)
    model = small().fit(X, Y)
    with pytest.raises(ValueError, match="9 features"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match="NaN"):
        small().fit(X, np.where(Y > 100, np.nan, Y))
    with pytest.raises(ValueError, match="sample_weight must not be negative"):
        small().fit(X, Y, sample_weight=-np.ones(150))
