"""QuantizationAware: networks compute with rounded weights, exact ones are trained."""

import copy
import pickle

import numpy as np
import pytest
from exports import spread_out

import fastbutterfly as fb
from fastbutterfly import export, nn

BITS = {"int8": 8, "int16": 16}
OPTIMIZERS = {
    "sgd": lambda net: nn.SGD(nn.cosine(0.01, 50), momentum=0.9),
    "adam": lambda net: nn.Adam(1e-3),
    "by layer": lambda net: nn.ByLayer(net, lambda scale: nn.Adam(1e-3 * scale)),
}
RNG = np.random.default_rng(0)
X = RNG.standard_normal((200, 16))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def network(dtype=np.float32, first=None):
    """Every kind of layer that is trained for integers."""
    options = {"rng": 0, "dtype": dtype}
    net = nn.Sequential(
        *(first or nn.ButterflyLinear(16, 16, **options), nn.ReLU()),
        *(nn.ButterflyDense(16, 12, **options), nn.ReLU(), nn.Dense(12, 3, **options)),
    )
    return spread_out(net)


def fit(net, optimizer, epochs=4, **options):
    options = {"loss": nn.CrossEntropy(), "rng": 0} | options
    return nn.fit(net, X, LABELS, optimizer=optimizer, epochs=epochs, **options)


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_trained_network_has_the_weights_of_its_integers(dtype, real, optimizer):
    net = network(real)
    inner = OPTIMIZERS[optimizer](net)
    aware = export.QuantizationAware(inner, net, X, dtype=dtype)
    options = {"clip": 1.0, "validation": (X, LABELS)}
    history = fit(net, aware, callbacks=[nn.EarlyStopping(patience=2)], **options)
    assert history.loss[-1] < history.loss[0]
    before, model = net.parameters.copy(), aware.quantized()
    for step in model.steps:
        if hasattr(step, "weights"):
            assert np.abs(step.weights).max() < 1 << BITS[dtype] - 1
    state = aware.init(net.parameters)  # rounds again: all are rounded already
    np.testing.assert_array_equal(net.parameters, before)
    np.testing.assert_array_equal(state.exact, before)
    y, z = export.emulate(model, X), net(X)
    assert np.linalg.norm(y - z) < 0.01 * np.linalg.norm(z)


def test_gradients_at_rounded_weights_move_the_exact_ones(rng):
    net, rate = network(np.float64), 0.1
    exact = net.parameters.copy()
    aware = export.QuantizationAware(nn.SGD(rate), net, X)
    state = aware.init(net.parameters)
    rounded = net.parameters.copy()
    assert 0 < np.abs(rounded - exact).max() < 0.02
    g = rng.standard_normal(exact.size)
    aware.update(net.parameters, g, state)
    np.testing.assert_allclose(state.exact, exact - rate * g, rtol=1e-14)
    aware.update(net.parameters, -g, state)
    np.testing.assert_allclose(net.parameters, rounded, rtol=1e-13)


def test_weights_that_are_not_trained_stay():
    B = fb.Butterfly.random(16, rng=0, dtype=np.float32)
    frozen = nn.ButterflyLinear.from_operator(B, trainable=False)
    net = network(first=frozen)
    aware = export.QuantizationAware(nn.Adam(1e-3), net, X)
    fit(net, aware)
    np.testing.assert_array_equal(net.layers[0].operator.to_dense(), B.to_dense())
    y, z = export.emulate(aware.quantized(), X), net(X)
    assert np.linalg.norm(y - z) < 0.02 * np.linalg.norm(z)


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    def run(epochs, path, rate=0.01, dtype="int8", x=X):
        net = network()
        adam = nn.Adam(nn.cosine(rate, 50))
        aware = export.QuantizationAware(adam, net, x, dtype=dtype)
        fit(net, aware, epochs, checkpoint=path)
        return net.parameters

    run(2, tmp_path / "run")
    whole, resumed = run(5, tmp_path / "whole"), run(5, tmp_path / "run")
    np.testing.assert_array_equal(whole, resumed)
    for other in {"rate": 0.02}, {"dtype": "int16"}, {"x": 3 * X}:
        with pytest.raises(ValueError, match="of another run: its optimizer"):
            run(6, tmp_path / "run", **other)


def test_another_network_is_refused():
    net, other = network(), network()
    aware = export.QuantizationAware(nn.Adam(1e-3), net, X)
    for wrong in other, nn.Dense(16, 3):
        before = wrong.parameters.copy()
        with pytest.raises(ValueError, match="those of the network that Quant"):
            fit(wrong, aware)
        np.testing.assert_array_equal(wrong.parameters, before)
    with pytest.raises(TypeError, match="functions of parameters"):
        export.QuantizationAware(nn.Adam(1e-3), nn.OrthogonalLinear(16), X)
    with pytest.raises(TypeError, match="optimizer must be"):
        export.QuantizationAware(3, net, X)


def test_models_are_copied_compared_and_pickled():
    net = network()
    model = export.quantize(net, X)
    assert model != export.quantize(net, X)
    assert model in {model}
    for other in copy.deepcopy(model), pickle.loads(pickle.dumps(model)):
        assert np.array_equal(export.emulate(other, X), export.emulate(model, X))
        assert repr(other) == "Quantized(16 -> 3, int8)"
    net, aware = pickle.loads(
        pickle.dumps((net, export.QuantizationAware(nn.Adam(1e-3), net, X)))
    )
    fit(net, aware, 1)
