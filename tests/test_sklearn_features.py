"""ButterflyFeatures against its formula, the RBF kernel and RBFSampler."""

import pickle

import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.sparse import csr_array
from scipy.stats import chi2, kstest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics.pairwise import rbf_kernel

from fastbutterfly.sklearn import ButterflyFeatures


def weights(features):
    """The projections' matrix (waves, n_features), by definition."""
    rows = []
    for signs in features.random_signs_.astype(float):
        n = signs.shape[1]
        R = np.eye(n)
        for diagonal in signs:
            R = hadamard(n) @ (diagonal[:, None] * R) / np.sqrt(n)
        rows.append(R)
    lengths = features.random_lengths_[:, None]
    R = np.vstack(rows)[: len(lengths), : features.n_features_in_]
    return np.sqrt(2 * features.gamma_) * lengths * R


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_components", [1, 2, 7, 256, 1301])
@pytest.mark.parametrize("n_features", [1, 5, 128, 200])
def test_is_its_formula(n_features, n_components, dtype, rng):
    X = rng.standard_normal((40, n_features)).astype(dtype)
    made = ButterflyFeatures(gamma=0.3, n_components=n_components, random_state=0)
    Z = made.fit_transform(X)
    z = X.astype(float) @ weights(made).T
    wanted = np.hstack([np.cos(z), np.sin(z)])
    if n_components % 2:
        wanted = wanted[:, :-1]
        wanted[:, n_components // 2] = np.cos(z[:, -1] + made.random_offset_)
    wanted *= np.sqrt(2 / n_components)
    assert Z.dtype == dtype
    assert Z.shape == (40, n_components)
    assert Z.flags.c_contiguous
    largest = np.abs(z).max()
    assert np.abs(Z - wanted).max() < (20 + 4 * largest) * np.finfo(dtype).eps


def test_large_angles_are_as_good_as_their_rounding(rng):
    X = 1e4 * rng.standard_normal((10, 64))
    made = ButterflyFeatures(n_components=64, random_state=0).fit(X)
    z = X @ weights(made).T
    wanted = np.hstack([np.cos(z), np.sin(z)]) * np.sqrt(2 / 64)
    assert np.abs(made.transform(X) - wanted).max() < 8 * np.abs(z).max() * 2.0**-52


@pytest.mark.parametrize("n_components", [256, 301])
@pytest.mark.parametrize("kind", ["normal", "basis", "constant", "two"])
def test_kernel_is_unbiased(kind, n_components, rng):
    n, draws = 100, 400
    d = {
        "normal": rng.standard_normal(n),
        "basis": np.eye(n)[3],
        "constant": np.ones(n),
        "two": np.eye(n)[3] - np.eye(n)[77],
    }[kind]
    x = rng.standard_normal(n)
    X = np.stack([x, x + d / np.linalg.norm(d)])
    found = []
    for seed in range(draws):
        options = {"gamma": 1.0, "n_components": n_components, "random_state": seed}
        a, b = ButterflyFeatures(**options).fit_transform(X)
        found.append(a @ b)
    deviation = np.std(found) / np.sqrt(draws)
    assert deviation < 0.005
    assert abs(np.mean(found) - np.exp(-1)) < 4 * deviation


def test_lengths_are_those_of_normal_rows():
    made = ButterflyFeatures(n_components=8000, random_state=0).fit(np.ones((2, 1000)))
    n = made.random_signs_.shape[2]
    assert n == 1024
    assert kstest(made.random_lengths_**2, chi2(n).cdf).pvalue > 0.01


def errors(kind, X, n_components, draws=10):
    K, total = rbf_kernel(X, gamma=0.25), 0
    for seed in range(draws):
        options = {"gamma": 0.25, "n_components": n_components, "random_state": seed}
        Z = kind(**options).fit_transform(X)
        total += np.mean((Z @ Z.T - K) ** 2)
    return np.sqrt(total / draws)


def test_error_shrinks_and_is_below_that_of_rbf_sampler(rng):
    X = rng.standard_normal((20, 128)) / np.sqrt(128)
    few, many = (errors(ButterflyFeatures, X, size) for size in (1024, 16384))
    assert few / many == pytest.approx(4, rel=0.25)
    assert few < 0.5 * errors(RBFSampler, X, 1024)


def test_gamma_scale_is_that_of_rbf_sampler(rng):
    X = 3 * rng.standard_normal((30, 7)) + 1
    made = ButterflyFeatures(gamma="scale").fit(X)
    assert made.gamma_ == pytest.approx(1 / (7 * X.var()))
    sparse = ButterflyFeatures(gamma="scale").fit(csr_array(X))
    assert sparse.gamma_ == pytest.approx(made.gamma_)
    assert ButterflyFeatures(gamma="scale").fit(np.ones((3, 2))).gamma_ == 1
    Z = ButterflyFeatures(gamma=0, n_components=4).fit_transform(X)
    assert np.allclose(Z @ Z.T, 1)


def test_sparse_threads_seeds_and_copies(rng):
    X = np.where(rng.random((3000, 30)) < 0.2, rng.standard_normal((3000, 30)), 0)
    made = ButterflyFeatures(n_components=600, random_state=3).fit(X)
    Z = made.transform(X)
    assert np.array_equal(made.transform(csr_array(X)), Z)
    assert np.array_equal(clone(made).set_params(n_jobs=2).fit_transform(X), Z)
    assert np.array_equal(pickle.loads(pickle.dumps(made)).transform(X), Z)
    state = np.random.RandomState(3)
    assert np.array_equal(made.set_params(random_state=state).fit_transform(X), Z)
    assert not np.array_equal(made.fit_transform(X), Z)
    assert not np.array_equal(ButterflyFeatures(n_components=600).fit_transform(X), Z)


def test_names(rng):
    made = ButterflyFeatures(n_components=3).fit(rng.standard_normal((4, 2)))
    names = [f"butterflyfeatures{i}" for i in range(3)]
    assert list(made.get_feature_names_out()) == names


def test_set_output_pandas(rng):
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    frame = pandas.DataFrame(rng.standard_normal((4, 2)), columns=["a", "b"])
    made = ButterflyFeatures(n_components=3).set_output(transform="pandas")
    Z = made.fit_transform(frame)
    assert list(Z.columns) == [f"butterflyfeatures{i}" for i in range(3)]
    assert list(made.feature_names_in_) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"gamma": -1}, ValueError, "gamma must be"),
        ({"gamma": "auto"}, ValueError, 'gamma must be "scale" or a number'),
        ({"gamma": None}, ValueError, 'gamma must be "scale" or a number'),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_components": 2.5}, TypeError, "n_components must be an int"),
        ({"random_state": "a"}, ValueError, "seed"),
    ],
)
def test_wrong_parameters(options, error, message):
    with pytest.raises(error, match=message):
        ButterflyFeatures(**options).fit(np.ones((3, 2)))


def test_wrong_samples():
    X = np.ones((3, 2))
    with pytest.raises(NotFittedError):
        ButterflyFeatures().transform(X)
    made = ButterflyFeatures().fit(X)
    with pytest.raises(ValueError, match="2 features"):
        made.transform(np.ones((3, 5)))
    with pytest.raises(ValueError, match="NaN"):
        made.transform(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match=r"in float32, got .*scale the features"):
        made.transform(np.full((3, 2), 1e7, np.float32))
    with pytest.raises(ValueError, match=r"got one of length inf"):
        made.transform(np.full((3, 2), 3e38, np.float32))
    assert np.isfinite(made.transform(np.full((3, 2), 1e7))).all()
