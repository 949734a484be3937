"""Trained dense layers become butterflies and gadgets."""

import types

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn

sklearn = pytest.importorskip("sklearn.neural_network")
KINDS = {"butterfly": nn.ButterflyLinear, "gadget": nn.ButterflyDense}


def make_net(n=64, dtype=np.float64):
    rng = np.random.default_rng(0)
    sizes = [(n, n), (n, n), (n, 3)]
    layers = [nn.Dense(*size, rng=rng, dtype=dtype) for size in sizes]
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.Tanh(), layers[2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dense_from_arrays(dtype, rng):
    W, bias = rng.standard_normal((5, 3)), rng.standard_normal(3)
    layer = nn.Dense.from_arrays(W.astype(dtype), bias)
    assert layer.dtype == dtype
    np.testing.assert_array_equal(layer.weights, W.astype(dtype))
    np.testing.assert_array_equal(layer.bias, bias.astype(dtype))
    W[0, 0] += 1
    assert layer.weights[0, 0] != W[0, 0]
    assert nn.Dense.from_arrays(W).bias is None
    assert nn.Dense.from_arrays(np.eye(2, dtype=int)).dtype == np.float64


@pytest.mark.parametrize(
    ("W", "bias", "message"),
    [
        (np.ones(3), None, r"W must have shape \(n_in, n_out\), got \(3,\)"),
        (np.ones((2, 3)), np.ones(2), r"bias must have shape \(3,\)"),
        (np.full((2, 3), np.nan), None, "W must be finite"),
        (np.ones((2, 3)), np.full(3, np.inf), "bias must be finite"),
    ],
)
def test_wrong_arrays(W, bias, message):
    with pytest.raises(ValueError, match=message):
        nn.Dense.from_arrays(W, bias)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_classifier_gives_its_logits(activation, rng):
    X, y = rng.standard_normal((60, 5)), np.arange(60) % 3
    model = sklearn.MLPClassifier((7, 6), activation=activation, solver="lbfgs")
    model.max_iter = 5
    with pytest.warns(Warning, match="lbfgs failed to converge"):
        model.fit(X, y)
    z = nn.from_mlp(model)(X)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    expected = e / e.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(expected, model.predict_proba(X), atol=1e-12)


def test_two_classes_have_one_logit(rng):
    X = rng.standard_normal((60, 5)).astype(np.float32)
    model = sklearn.MLPClassifier((7,), max_iter=500, tol=1e-2).fit(X, X[:, 0] > 0)
    net = nn.from_mlp(model)
    assert net.dtype == np.float32
    probability = 1 / (1 + np.exp(-net(X)[:, 0]))
    np.testing.assert_allclose(probability, model.predict_proba(X)[:, 1], atol=1e-6)


def test_what_is_no_fitted_model():
    with pytest.raises(TypeError, match=r"fitted MLPClassifier .* without coefs_"):
        nn.from_mlp(sklearn.MLPClassifier())


def test_arrays_that_do_not_pair():
    model = types.SimpleNamespace(activation="relu", coefs_=[np.ones((3, 2))])
    model.intercepts_ = []
    with pytest.raises(ValueError, match=r"an array in intercepts_ .* got 0 and 1"):
        nn.from_mlp(model)


@pytest.mark.parametrize("kind", KINDS)
def test_large_layers_are_replaced_and_the_others_kept(kind, rng):
    net, x = make_net(), rng.standard_normal((5, 64))
    before, y = net.parameters.copy(), net(x)
    result = nn.replace_dense(net, kind, rng=0)
    kinds = [type(layer) for layer in result.network.layers]
    assert kinds == [KINDS[kind], nn.ReLU, KINDS[kind], nn.Tanh, nn.Dense]
    assert list(result.errors) == [0, 2]
    last = result.network.layers[4]
    np.testing.assert_array_equal(last.weights, net.layers[4].weights)
    for i, error in result.errors.items():
        layer, W = result.network.layers[i], net.layers[i].weights
        bias = net.layers[i].bias
        matrix = layer(np.eye(64)) - bias
        expected = np.linalg.norm(matrix - W) / np.linalg.norm(W)
        assert error == pytest.approx(expected, rel=1e-9)
    result.network.parameters[...] = 0
    np.testing.assert_array_equal(net.parameters, before)
    np.testing.assert_array_equal(net(x), y)


def test_layers_that_are_butterflies_are_found(rng):
    W = fb.Butterfly.random(64, rng=0).to_dense().T
    net = nn.Sequential(nn.Dense.from_arrays(W, rng.standard_normal(64)))
    result = nn.replace_dense(net)
    assert result.errors[0] < 1e-12
    x = rng.standard_normal((3, 64))
    np.testing.assert_allclose(result.network(x), net(x), atol=1e-12)


@pytest.mark.parametrize("shape", [(100, 70), (65, 128), (64, 300)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_shape(kind, shape, rng):
    net = nn.Sequential(nn.Dense(*shape, rng=0, dtype=np.float64, bias=False))
    result = nn.replace_dense(net, kind, rng=0)
    assert result.network(np.ones((2, shape[0]))).shape == (2, shape[1])
    assert 0.3 < result.errors[0] < 1.2


def test_a_full_core_is_exact(rng):
    net = make_net()
    result = nn.replace_dense(net, "gadget", k=64, rng=0)
    x = rng.standard_normal((5, 64))
    np.testing.assert_allclose(result.network(x), net(x), atol=1e-10)


def test_each_layer_is_fitted_to_the_old_outputs_from_the_new_inputs(rng):
    net, X = make_net(), rng.standard_normal((300, 64))
    result = nn.replace_dense(net, X=X, epochs=2, lr=0.02, rng=5)
    start = nn.replace_dense(net, X=X, epochs=0).network
    generator, old, new = np.random.default_rng(5), X, X
    for i, dense in enumerate(net.layers):
        old, layer = dense(old), start.layers[i]
        if i in result.errors:
            options = {"epochs": 2, "batch_size": 128, "rng": generator}
            optimizer = nn.Adam(nn.cosine(0.02, 6))
            nn.fit(layer, new, old, loss=nn.MSE(), optimizer=optimizer, **options)
            error = np.linalg.norm(layer(new) - old) / np.linalg.norm(old - old.mean(0))
            assert result.errors[i] == pytest.approx(error, rel=1e-9)
        new = layer(new)
    np.testing.assert_array_equal(result.network(X), new)


def test_error_without_variation_is_infinite(rng):
    result = nn.replace_dense(make_net(), X=rng.standard_normal((1, 64)), epochs=0)
    assert list(result.errors.values()) == [np.inf, np.inf]


@pytest.mark.parametrize("kind", KINDS)
def test_samples_bring_the_outputs_nearer(kind, rng):
    net = make_net(dtype=np.float32)
    X = rng.standard_normal((600, 8)) @ rng.standard_normal((8, 64)) / 3
    untrained = nn.replace_dense(net, kind, X=X, epochs=0, rng=0)
    result, again = (
        nn.replace_dense(net, kind, X=X, epochs=60, rng=0) for _ in range(2)
    )
    np.testing.assert_array_equal(result.network.parameters, again.network.parameters)
    for i, error in result.errors.items():
        assert error < 0.8 * untrained.errors[i]
    old, new, start = net(X), result.network(X), untrained.network(X)
    assert np.linalg.norm(new - old) < 0.8 * np.linalg.norm(start - old)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"net": nn.Dense(64, 64)}, TypeError, "net must be a Sequential, got Dense"),
        ({"kind": "fft"}, ValueError, "kind must be one of 'butterfly', 'gadget'"),
        ({"least": 65}, ValueError, "a Dense layer of at least 65 inputs and outputs"),
        ({"X": np.ones((2, 5))}, ValueError, r"X must have shape \(rows, 64\)"),
        ({"X": np.full((2, 64), np.nan)}, ValueError, "X must be finite"),
        ({"k": 0}, ValueError, "k must be"),
        ({"k": 9}, ValueError, "k must be None for kind='butterfly', .* got 9"),
        ({"lr": -1}, ValueError, "lr must be"),
        ({"rng": "a"}, TypeError, "rng must be"),
    ],
)
def test_wrong_arguments(changes, error, message):
    arguments = {"net": make_net()} | changes
    with pytest.raises(error, match=message):
        nn.replace_dense(**arguments)
