"""ButterflyProjection against theory and GaussianRandomProjection."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import DataDimensionalityWarning, NotFittedError
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.random_projection import (
    GaussianRandomProjection,
    johnson_lindenstrauss_min_dim,
)

from fastbutterfly.sklearn import ButterflyProjection

BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def distortions(X, Y):
    """Ratios of squared distances after and before."""
    pairs = np.triu_indices(len(X), 1)
    before, after = (euclidean_distances(a, squared=True)[pairs] for a in (X, Y))
    return after[before > 0] / before[before > 0]


@pytest.mark.parametrize("eps", [0.3, 0.5])
def test_auto_keeps_all_distances_within_eps(eps, rng):
    X = rng.standard_normal((60, 3000)) ** 3  # heavy tails
    made = ButterflyProjection(eps=eps, random_state=0)
    Y = made.fit_transform(X)
    assert Y.shape[1] == johnson_lindenstrauss_min_dim(60, eps=eps)
    assert np.abs(distortions(X, Y) - 1).max() < eps


def test_digits_are_distorted_as_by_a_normal_matrix():
    X = load_digits().data[:100]
    spread = {}
    for kind in (ButterflyProjection, GaussianRandomProjection):
        ratios = np.concatenate(
            [
                distortions(X, kind(16, random_state=seed).fit_transform(X))
                for seed in range(30)
            ]
        )
        assert ratios.mean() == pytest.approx(1, abs=0.06)
        spread[kind] = ratios.std()
    # Independent normal coordinates: chi-squared, deviation sqrt(2 / k).
    normal = spread[GaussianRandomProjection]
    assert normal == pytest.approx(np.sqrt(2 / 16), rel=0.15)
    assert spread[ButterflyProjection] < 1.1 * normal


@BOTH
@pytest.mark.parametrize(("k", "n"), [(3, 10), (16, 16), (7, 64), (20, 12), (1, 1)])
def test_is_its_matrix_and_has_its_inverse(k, n, dtype, rng):
    X = rng.standard_normal((9, n)).astype(dtype)
    made = ButterflyProjection(k, random_state=0)
    if k > n:
        with pytest.warns(DataDimensionalityWarning, match="more than the 12 features"):
            made.fit(X)
    else:
        made.fit(X)
    tol = 50 * np.finfo(dtype).eps
    Y, J = made.transform(X), made.components_
    assert J.shape == (k, n)
    assert Y.dtype == J.dtype == dtype
    assert np.allclose(Y, X @ J.T, atol=tol)
    back = made.inverse_transform(Y)
    assert back.dtype == dtype
    assert np.allclose(back, Y @ np.linalg.pinv(J.astype(float)).T, atol=20 * tol)
    again = clone(made).set_params(compute_inverse_components=True)
    if k <= n:
        again.fit(X)
        assert again.inverse_components_.shape == (n, k)
        assert np.allclose(again.inverse_transform(Y), back, atol=20 * tol)
        assert np.allclose(made.transform(back), Y, atol=20 * tol)


def test_sparse_seeds_copies_and_names(rng):
    X = np.where(rng.random((3000, 64)) < 0.2, rng.standard_normal((3000, 64)), 0)
    made = ButterflyProjection(5, random_state=3).fit(X)
    Y = made.transform(X)
    assert np.allclose(made.transform(csr_array(X)), Y, atol=1e-13)
    back = made.inverse_transform(Y)
    assert np.allclose(made.inverse_transform(csr_array(Y)), back, atol=1e-13)
    assert np.array_equal(clone(made).fit_transform(X), Y)
    assert np.array_equal(pickle.loads(pickle.dumps(made)).transform(X), Y)
    assert not np.array_equal(ButterflyProjection(5).fit_transform(X), Y)
    names = [f"butterflyprojection{i}" for i in range(5)]
    assert list(made.get_feature_names_out()) == names


def test_set_output_pandas(rng):
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    frame = pandas.DataFrame(rng.standard_normal((4, 3)), columns=["a", "b", "c"])
    made = ButterflyProjection(2).set_output(transform="pandas")
    assert list(made.fit_transform(frame).columns) == list(made.get_feature_names_out())
    assert list(made.feature_names_in_) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"eps": 0}, ValueError, "eps must be positive"),
        ({"eps": 1.5}, ValueError, "eps"),
        ({}, ValueError, "target dimension of 2567.*n_features=4.*larger eps"),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_components": "all"}, TypeError, "n_components must be an int"),
        ({"compute_inverse_components": 1}, TypeError, "must be True or False"),
        ({"random_state": "a"}, ValueError, "seed"),
    ],
)
def test_wrong_parameters(options, error, message, rng):
    with pytest.raises(error, match=message):
        ButterflyProjection(**options).fit(rng.standard_normal((20, 4)))


def test_wrong_samples(rng):
    X = rng.standard_normal((3, 4))
    made = ButterflyProjection(2)
    assert not hasattr(made, "components_")
    for method in (made.transform, made.inverse_transform):
        with pytest.raises(NotFittedError):
            method(X)
    made.fit(X)
    with pytest.raises(ValueError, match="4 features"):
        made.transform(X[:, :3])
    with pytest.raises(ValueError, match="X must have 2 columns"):
        made.inverse_transform(X)
    with pytest.raises(ValueError, match="NaN"):
        made.fit(np.full((3, 4), np.nan))
