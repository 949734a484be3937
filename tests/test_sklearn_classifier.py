"""ButterflyClassifier: its network, its ways of training, scikit-learn's tools."""

import pickle

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastbutterfly import nn
from fastbutterfly.sklearn import ButterflyClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NAMES = np.array(["ant", "bee", "cat"])


def samples(n_classes=3, n=120, **options):
    """Float64 samples of 11 features, and classes 0, 1, ..."""
    return make_classification(
        n, 11, n_informative=6, n_classes=n_classes, random_state=0, **options
    )


def small(**options):
    """Quick to train, on all samples at once."""
    defaults = {"max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}
    options = {"hidden_layer_sizes": 20, **defaults, **options}
    return ButterflyClassifier(**options)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32) / 16, y, random_state=0)


def test_digits_nearly_as_well_as_a_dense_network(digits):
    X, X_test, y, y_test = digits
    ours = ButterflyClassifier(random_state=0, max_iter=100).fit(X, y)
    theirs = MLPClassifier(256, random_state=0, max_iter=60).fit(X, y)
    assert ours.score(X_test, y_test) > theirs.score(X_test, y_test) - 0.015 > 0.9


@pytest.mark.parametrize("hidden", ["butterfly", "gadget", "dense"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "logistic", "identity"])
def test_network_is_as_asked_for(hidden, activation):
    X, y = samples()
    model = small(hidden_layer_sizes=(7, 30), hidden=hidden, activation=activation)
    net = model.fit(X, y).network_
    kinds = {
        "butterfly": nn.ButterflyLinear,
        "gadget": nn.ButterflyDense,
        "dense": nn.Dense,
    }
    activations = {
        "relu": nn.ReLU,
        "gelu": nn.GELU,
        "tanh": nn.Tanh,
        "logistic": nn.Sigmoid,
    }
    between = [activations[activation]] if activation != "identity" else []
    wanted = [kinds[hidden], *between] * 2 + [nn.Dense]
    assert [type(layer) for layer in net.layers] == wanted
    widths = [(layer.n_in, layer.n_out) for layer in net.layers if layer.n_in]
    assert widths == [(11, 7), (7, 30), (30, 3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_outputs_are_those_of_the_network(n_classes, dtype, tmp_path):
    X, y = samples(n_classes)
    X, y = X.astype(dtype), NAMES[y]
    model = small().fit(X, y)
    model.network_.save(tmp_path / "net.npz")
    z = nn.load(tmp_path / "net.npz")(X)
    proba = softmax(z, axis=1)
    assert z.dtype == model.predict_proba(X).dtype == dtype
    assert list(model.classes_) == list(NAMES[:n_classes])
    assert np.array_equal(model.predict(X), NAMES[z.argmax(axis=1)])
    assert np.allclose(model.predict_proba(X), proba)
    assert np.allclose(model.predict_log_proba(X), np.log(proba), atol=1e-5)
    scores = z if n_classes > 2 else z[:, 1] - z[:, 0]
    assert np.array_equal(model.decision_function(X), scores)
    assert model.score(X, y) > 0.6


def test_several_labels_each(rng):
    X = rng.standard_normal((200, 10))
    Y = (X[:, :3] > 0).astype(int)
    model = small(max_iter=100).fit(X, Y)
    z = model.network_(X)
    assert np.array_equal(model.predict(X), z > 0)
    assert np.allclose(model.predict_proba(X), expit(z))
    assert np.allclose(model.predict_log_proba(X), np.log(expit(z)))
    assert model.score(X, Y) > 0.8
    for _ in range(3):
        model.partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"rows|\(samples, labels\)"):
        model.partial_fit(X, Y[:, 0])
    once = small(max_iter=1).fit(X, Y).predict_proba(X)
    assert np.array_equal(small().partial_fit(X, Y).predict_proba(X), once)


def test_partial_fits_are_epochs_of_one_fit():
    X, y = samples()
    model = small(batch_size=32)
    for _ in range(4):
        model.partial_fit(X, NAMES[y], classes=NAMES)
    whole = small(batch_size=32, max_iter=4).fit(X, NAMES[y])
    assert np.array_equal(model.network_.parameters, whole.network_.parameters)
    assert model.loss_curve_ == whole.loss_curve_
    assert model.n_iter_ == whole.n_iter_ == 4


def test_partial_fit_knows_its_classes():
    X, y = samples()
    model = small()
    with pytest.raises(ValueError, match="classes must be given at the first call"):
        model.partial_fit(X, y)
    model.partial_fit(X[y < 2], y[y < 2], classes=[2, 0, 1])
    assert model.predict_proba(X).shape == (120, 3)
    model.partial_fit(X[:1], y[:1])  # fewer samples than a batch
    with pytest.raises(ValueError, match=r"among \[0, 1, 2\], got \[7\]"):
        model.partial_fit(X, np.where(y == 1, 7, y))
    with pytest.raises(ValueError, match="classes must be those of the first call"):
        model.partial_fit(X, y, classes=[0, 1])
    before = model.network_.parameters.copy()
    with pytest.raises(ValueError, match="11 features"):
        model.partial_fit(X[:, :5], y)
    assert np.array_equal(model.network_.parameters, before)


def test_weights_count_samples():
    X, y = samples()
    weights = np.arange(120) % 3
    weighted = small().fit(X, y, sample_weight=weights).predict_proba(X)
    repeated = small().fit(np.repeat(X, weights, 0), np.repeat(y, weights))
    assert np.allclose(weighted, repeated.predict_proba(X), atol=1e-8)
    assert not np.allclose(weighted, small().fit(X, y).predict_proba(X), atol=1e-3)
    part = small().partial_fit(X, y, [0, 1, 2], sample_weight=weights)
    once = small(max_iter=1).fit(X, y, sample_weight=weights)
    assert np.allclose(part.predict_proba(X), once.predict_proba(X), atol=1e-8)


def test_class_weights_are_sample_weights():
    X, y = samples(weights=[0.7, 0.2, 0.1])
    given = {0: 0.5, 1: 1.0, 2: 3.0}
    by_class = small(class_weight=given).fit(X, y).predict_proba(X)
    weights = np.array([0.5, 1, 3])[y]
    by_sample = small().fit(X, y, sample_weight=weights).predict_proba(X)
    assert np.allclose(by_class, by_sample, atol=1e-12)
    counts = 120 / 3 / np.bincount(y)
    balanced = small(class_weight="balanced").fit(X, y).predict_proba(X)
    by_sample = small().fit(X, y, sample_weight=counts[y]).predict_proba(X)
    assert np.allclose(balanced, by_sample, atol=1e-12)
    both = small(class_weight=given).fit(X, y, sample_weight=counts[y])
    by_sample = small().fit(X, y, sample_weight=weights * counts[y])
    assert np.allclose(both.predict_proba(X), by_sample.predict_proba(X), atol=1e-12)
    with pytest.raises(ValueError, match="partial_fit sees some; give a dict"):
        small(class_weight="balanced").partial_fit(X, y, [0, 1, 2])


def test_sparse_samples_are_samples(rng):
    X, y = samples()
    X[rng.random(X.shape) < 0.5] = 0
    dense = small(batch_size=32).fit(X, y)
    sparse = small(batch_size=32).fit(csr_array(X), y)
    assert np.array_equal(sparse.network_.parameters, dense.network_.parameters)
    assert np.array_equal(dense.predict_proba(csr_array(X)), dense.predict_proba(X))


def test_training_stops_by_itself_and_says_if_it_does_not():
    X, y = samples()
    model = small(max_iter=5000, tol=1e-3, n_iter_no_change=7).fit(X, y)
    curve = np.array(model.loss_curve_)
    assert model.n_iter_ == len(curve) < 5000
    progress = curve[1:] < np.minimum.accumulate(curve)[:-1] - 1e-3
    assert not progress[-8:].any()
    assert "0" * 8 not in "".join("01"[step] for step in progress[:-1].astype(int))
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        small(max_iter=3).fit(X, y)


def test_early_stopping_keeps_samples_aside():
    X, y = samples(n=300, flip_y=0.3)
    model = small(hidden_layer_sizes=200, max_iter=2000, early_stopping=True)
    model.fit(X, y, sample_weight=np.ones(300))
    curve = np.array(model.validation_loss_curve_)
    assert model.n_iter_ == len(curve) < 2000
    best = curve.argmin()
    assert best < len(curve) - 1
    again = clone(model).set_params(max_iter=int(best) + 1)
    again.fit(X, y, sample_weight=np.ones(300))
    assert np.array_equal(again.network_.parameters, model.network_.parameters)


def test_warm_start_goes_on():
    X, y = samples()
    model = small(warm_start=True).fit(X, y)
    net, loss = model.network_, model.loss_curve_[-1]
    model.fit(X, y)
    assert model.network_ is net
    assert model.n_iter_ == 60
    assert model.loss_curve_[-1] < loss
    assert small().fit(X, y).fit(X, y).n_iter_ == 30


def test_copies_predict_the_same():
    X, y = samples()
    model = small().fit(X, y)
    proba = model.predict_proba(X)
    twin = pickle.loads(pickle.dumps(model))
    assert np.array_equal(twin.predict_proba(X), proba)
    twin.partial_fit(X, y)
    model.partial_fit(X, y)
    assert np.array_equal(twin.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(clone(model).fit(X, y).predict_proba(X), proba)
    assert not np.array_equal(small(random_state=1).fit(X, y).predict_proba(X), proba)


def test_read_only_copies_train_on(tmp_path):
    X, y = samples()
    model = small().fit(X, y)
    joblib.dump(model, tmp_path / "model")
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    assert np.array_equal(mapped.predict_proba(X), model.predict_proba(X))
    parts = model.partial_fit(X, y), mapped.network_.parameters.flags.writeable
    assert parts[1]


def test_pipeline_and_grid_search():
    X, y = samples()
    model = make_pipeline(StandardScaler(), small(max_iter=10))
    grid = {"butterflyclassifier__hidden_layer_sizes": [(5,), (8, 8)]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(1000 * X + 5, y)
    assert search.best_score_ > 0.4
    assert search.best_params_["butterflyclassifier__hidden_layer_sizes"] in [
        (5,),
        (8, 8),
    ]


def test_names_of_features_are_checked():
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    X, y = samples()
    frame = pandas.DataFrame(X, columns=[f"x{i}" for i in range(11)])
    model = small().fit(frame, pandas.Series(NAMES[y]))
    assert list(model.feature_names_in_) == list(frame.columns)
    assert np.array_equal(model.predict(frame), small().fit(X, NAMES[y]).predict(X))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hidden_layer_sizes": "big"}, TypeError, "hidden_layer_sizes must be"),
        ({"hidden_layer_sizes": 2.5}, TypeError, "hidden_layer_sizes must be"),
        ({"hidden_layer_sizes": (5, 0)}, ValueError, "must be at least 1, got 0"),
        ({"hidden": "conv"}, ValueError, "hidden must be one of 'butterfly'"),
        ({"activation": None}, ValueError, "activation must be one of 'relu'"),
        ({"alpha": -1}, ValueError, "alpha must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": "all"}, TypeError, "batch_size must be an int"),
        ({"learning_rate_init": 0}, ValueError, "learning_rate_init must be positive"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
        ({"tol": None}, ValueError, "tol must be"),
        ({"verbose": 1}, TypeError, "verbose must be True or False"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction must be below"),
        ({"n_iter_no_change": 0}, ValueError, "n_iter_no_change must be at least 1"),
        ({"class_weight": "even"}, ValueError, "class_weight"),
        ({"random_state": "a"}, ValueError, "seed"),
    ],
)
def test_wrong_parameters(options, error, message):
    with pytest.raises(error, match=message):
        small(**options).fit(*samples())


def test_wrong_samples():
    X, y = samples()
    with pytest.raises(NotFittedError):
        small().predict(X)
    model = small().fit(X, y)
    with pytest.raises(ValueError, match="11 features"):
        model.predict(X[:, :5])
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full_like(X, np.nan))
    with pytest.raises(ValueError, match="NaN"):
        small().fit(np.where(X > 1, np.nan, X), y)
    with pytest.raises(ValueError, match="at least 2 classes, got 1 class"):
        small().fit(X, np.zeros(120))
    with pytest.raises(ValueError, match="Unknown label type"):
        small().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="Unknown label type"):
        small().fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="sample_weight must not be negative"):
        small().fit(X, y, sample_weight=y - 1)
    with pytest.raises(ValueError, match="inconsistent"):
        small().fit(X, y[:-1])
    with pytest.raises(nn.DivergenceError, match="smaller learning rate"):
        small(learning_rate_init=1e30).fit(X.astype(np.float32), y)
