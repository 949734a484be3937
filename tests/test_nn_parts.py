"""Activations, dropout, layer norm, residual, pointwise: their definitions."""

import copy
import pickle

import numpy as np
import pytest
import scipy.special
import scipy.stats

from fastbutterfly import nn

EXTREME = np.array([[-np.inf, -1e4, -50, -20, -0.0, 0.0, 20, 50, 1e4, np.inf, np.nan]])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def derivative(layer, x):
    _, saved = layer.forward(x)
    return layer.backward(saved, np.ones_like(x), np.empty(0))


ACTIVATIONS = {
    nn.GELU: (
        lambda x: x * scipy.stats.norm.cdf(x),
        lambda x: scipy.stats.norm.cdf(x) + x * scipy.stats.norm.pdf(x),
        [0, 0, 0, 0, 0, 0, 20, 50, 1e4, np.inf, np.nan],
        [0, 0, 0, 0, 0.5, 0.5, 1, 1, 1, 1, np.nan],
    ),
    nn.Tanh: (
        np.tanh,
        lambda x: np.cosh(x) ** -2.0,
        [-1, -1, -1, -1, 0, 0, 1, 1, 1, 1, np.nan],
        [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, np.nan],
    ),
    nn.Sigmoid: (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        [0, 0, 0, 0, 0.5, 0.5, 1, 1, 1, 1, np.nan],
        [0, 0, 0, 0, 0.25, 0.25, 0, 0, 0, 0, np.nan],
    ),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
class TestActivation:
    @DTYPES
    def test_is_its_formula(self, kind, dtype):
        value, slope, *_ = ACTIVATIONS[kind]
        x = np.linspace(-6, 6, 1001, dtype=dtype)[None]
        exact, rtol = x.astype(float), 50 * np.finfo(dtype).eps
        y = kind()(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, value(exact), rtol, rtol * 1e-2)
        gx = derivative(kind(), x)
        assert gx.dtype == dtype
        np.testing.assert_allclose(gx, slope(exact), rtol, rtol / 10)

    @DTYPES
    def test_of_extreme_numbers(self, kind, dtype):
        *_, values, slopes = ACTIVATIONS[kind]
        x = EXTREME.astype(dtype)
        with np.errstate(all="raise", under="ignore"):
            y, gx = kind()(x), derivative(kind(), x)
        np.testing.assert_allclose(y, [values], atol=1e-8)
        np.testing.assert_allclose(gx, [slopes], atol=1e-8)

    def test_takes_integers_and_any_width(self, kind):
        y = kind()([[1, 2, 3]])
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y, kind()([[1.0, 2.0, 3.0]]))
        assert kind().n_weights == 0
        assert repr(kind()) == f"{kind.__name__}()"


def test_small_tails_keep_their_digits():
    x = np.array([[-20.0]], np.float32)
    np.testing.assert_allclose(nn.Sigmoid()(x), np.exp(-20), rtol=1e-6)
    np.testing.assert_allclose(derivative(nn.Sigmoid(), -x), np.exp(-20), rtol=1e-6)
    x = np.array([[-8.0]], np.float32)
    np.testing.assert_allclose(nn.GELU()(x), -8 * scipy.special.ndtr(-8.0), rtol=1e-5)


class TestLayerNorm:
    @DTYPES
    def test_gives_mean_0_and_variance_1(self, rng, dtype):
        x = 50 + 3 * rng.standard_normal((20, 64))
        y = nn.LayerNorm(64, dtype=dtype)(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-5)
        np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-5)

    def test_is_its_formula(self, rng):
        layer = nn.LayerNorm(6, eps=0.1, dtype=np.float64)
        layer.scale[...], layer.shift[...] = rng.standard_normal((2, 6))
        x = rng.standard_normal((5, 6))
        z = (x - x.mean(1)[:, None]) / np.sqrt(x.var(1)[:, None] + 0.1)
        np.testing.assert_allclose(layer(x), layer.scale * z + layer.shift, rtol=1e-12)
        assert layer.n_weights == 12
        assert repr(layer) == "LayerNorm(6, eps=0.1)"

    def test_of_a_constant_sample_is_the_shift(self):
        np.testing.assert_array_equal(nn.LayerNorm(3)([[7, 7, 7]]), [[0, 0, 0]])

    def test_of_large_and_missing_numbers(self):
        x = np.array([[1e4, -1e4], [np.nan, 0], [np.inf, 0]], np.float32)
        with np.errstate(invalid="ignore"):
            y = nn.LayerNorm(2)(x)
        np.testing.assert_allclose(y[0], [1, -1])
        assert np.isnan(y[1:]).all()

    @pytest.mark.parametrize("eps", [0, -1, np.nan, np.inf, 1e-300, "small", None])
    def test_eps_must_be_positive(self, eps):
        with pytest.raises(ValueError, match=r"eps must be .* got"):
            nn.LayerNorm(3, eps=eps)

    def test_size_must_be_positive(self):
        with pytest.raises(ValueError, match="n must be at least 1, got 0"):
            nn.LayerNorm(0)


class TestDropout:
    @DTYPES
    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
    def test_keeps_the_mean(self, rng, dtype, rate):
        x = np.full((200, 500), 3, dtype)
        y, saved = nn.Dropout(rate).forward_training(x, rng)
        assert y.dtype == dtype
        assert abs(np.mean(y == 0) - rate) < 0.01
        np.testing.assert_allclose(y[y != 0], 3 / (1 - rate), rtol=1e-6)
        g = nn.Dropout(rate).backward(saved, np.ones_like(x), np.empty(0))
        np.testing.assert_allclose(3 * g, y)

    def test_rate_0_drops_nothing(self, rng):
        x = rng.standard_normal((4, 5))
        y, saved = nn.Dropout(0).forward_training(x, rng)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(nn.Dropout(0).backward(saved, x, None), x)

    def test_rate_close_to_1_leaves_finite_numbers(self, rng):
        x = np.ones((100, 100), np.float32)
        y, _ = nn.Dropout(1 - 1e-12).forward_training(x, rng)
        assert np.isfinite(y).all()

    @pytest.mark.parametrize("rate", [1, -0.1, np.nan, "half", None, [0.5, 0.5]])
    def test_rate_must_be_below_1(self, rate):
        with pytest.raises(ValueError, match=r"rate must be .* below 1"):
            nn.Dropout(rate)


def dropping(rate=0.5):
    """A network that drops at each depth of nesting."""
    options = {"rng": 0, "dtype": np.float64}
    return nn.Sequential(
        nn.Dropout(rate),
        nn.Residual(nn.Dense(6, 6, **options), nn.Dropout(rate)),
        nn.PointWise(nn.Sequential(nn.Dense(3, 3, **options), nn.Dropout(rate)), 2),
        nn.Dense(6, 2, **options),
    )


def train(net, X, **changes):
    options = {"loss": nn.MSE(), "optimizer": nn.SGD(0.01), "epochs": 2, "rng": 5}
    return nn.fit(net, X, X[:, :2], **{**options, **changes})


class TestDropoutInTraining:
    def test_the_same_rng_gives_the_same_bits(self, rng):
        X, nets = rng.standard_normal((100, 6)), [dropping() for _ in range(3)]
        nets[1] = pickle.loads(pickle.dumps(nets[1]))
        for net, seed in zip(nets, (5, 5, 6), strict=True):
            train(net, X, rng=seed)
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
        assert not np.array_equal(nets[0].parameters, nets[2].parameters)

    def test_rate_0_trains_as_without(self, rng):
        X, options = rng.standard_normal((50, 6)), {"rng": 0, "dtype": np.float64}
        net = nn.Sequential(nn.Dropout(0), nn.Dense(6, 2, **options), nn.Dropout(0))
        plain = nn.Dense(6, 2, **options)
        train(net, X)
        train(plain, X)
        np.testing.assert_array_equal(net.parameters, plain.parameters)

    def test_reaches_every_depth(self, rng, monkeypatch):
        shapes, draw = [], nn.Dropout.forward_training

        def spy(layer, x, rng):
            shapes.append(x.shape)
            return draw(layer, x, rng)

        monkeypatch.setattr(nn.Dropout, "forward_training", spy)
        X = rng.standard_normal((10, 6))
        train(dropping(), X, epochs=1, validation=(X, X[:, :2]))
        assert shapes == [(10, 6), (10, 6), (20, 3)]

    def test_never_in_validation_and_prediction(self, rng):
        X, net = rng.standard_normal((100, 6)), dropping(0.9)
        history = train(net, X, epochs=1, validation=(X, X[:, :2]))
        y = net(X)
        np.testing.assert_array_equal(net(X), y)
        exact, _ = nn.MSE()(y, X[:, :2])
        assert history.epochs[-1].validation_loss == pytest.approx(exact, rel=1e-12)
        twin = dropping(0)
        twin.parameters[...] = net.parameters
        np.testing.assert_array_equal(twin(X), y)


class TestResidual:
    def test_adds_the_input(self, rng):
        inner = nn.Sequential(nn.Dense(5, 5, rng=0, dtype=np.float64), nn.GELU())
        x = rng.standard_normal((3, 5))
        expected = x + inner(x)
        layer = nn.Residual(inner)
        np.testing.assert_array_equal(layer(x), expected)
        assert layer.n_weights == inner.n_weights == 30
        assert repr(layer) == "Residual(Sequential(Dense(5, 5), GELU()))"

    def test_of_zero_is_the_identity(self, rng):
        layer, x = nn.Residual(nn.Dense(4, 4)), rng.standard_normal((3, 4))
        layer.parameters[...] = 0
        assert not layer.layers[0].weights.any()
        np.testing.assert_array_equal(layer(x), x.astype(np.float32))

    def test_must_keep_the_size(self):
        inner = nn.Dense(4, 3)
        with pytest.raises(ValueError, match="got 4 inputs and 3 outputs"):
            nn.Residual(inner)
        nn.Residual(inner, nn.Dense(3, 4))  # the failure left it free


class TestPointWise:
    def test_is_a_1x1_convolution(self, rng):
        images = rng.standard_normal((3, 4, 5, 2))
        inner = nn.Dense(4, 6, rng=0, dtype=np.float64)
        expected = np.einsum("bchw,cd->bdhw", images, inner.weights)
        expected += inner.bias[:, None, None]
        y = nn.PointWise(inner, 10)(images.reshape(3, -1)).reshape(3, 6, 5, 2)
        np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)

    def test_is_the_layer_at_each_position(self, rng):
        inner = nn.ButterflyLinear(8, 5, rng=0, dtype=np.float64)
        x = rng.standard_normal((3, 8, 7))
        expected = np.stack([inner(x[:, :, p]) for p in range(7)], axis=2)
        layer = nn.PointWise(inner, 7)
        np.testing.assert_allclose(
            layer(x.reshape(3, -1)), expected.reshape(3, -1), rtol=1e-12, atol=1e-13
        )
        assert (layer.n_in, layer.n_out) == (56, 35)
        assert layer.n_weights == inner.n_weights
        assert repr(layer) == "PointWise(ButterflyLinear(8, 5), 7)"

    def test_at_one_position_is_the_layer(self, rng):
        inner, x = nn.Dense(4, 3, rng=0), rng.standard_normal((5, 4))
        np.testing.assert_array_equal(
            nn.PointWise(copy.deepcopy(inner), 1)(x), inner(x)
        )

    def test_errors(self):
        with pytest.raises(ValueError, match="positions must be at least 1, got 0"):
            nn.PointWise(nn.Dense(2, 2), 0)
        with pytest.raises(TypeError, match="layer 0 must be a Layer"):
            nn.PointWise("dense", 2)
        with pytest.raises(ValueError, match="one that has a size"):
            nn.PointWise(nn.ReLU(), 2)


def classes_that_are_wrong():
    class NoInput(nn.Dense):
        def backward(self, saved, g, gparameters, *, input_gradient=True):
            super().backward(saved, g, gparameters)
            return 1.001 * g @ self.weights.T

    class NoBias(nn.Dense):
        def backward(self, saved, g, gparameters, *, input_gradient=True):
            gx = super().backward(saved, g, gparameters)
            self._views(gparameters)["bias"][...] *= 1.001
            return gx

    class Unwritten(nn.Dense):
        def backward(self, saved, g, gparameters, *, input_gradient=True):
            return g @ self.weights.T

    return {"input": NoInput, "bias": NoBias, "weights": Unwritten}


class TestCheckGradients:
    @pytest.mark.parametrize("kind", [nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid])
    def test_of_activations(self, kind):
        assert 0 <= nn.check_gradients(kind(), rng=0) < 1e-7

    def test_of_a_network_with_dropout(self, rng):
        net = dropping()
        before, state = net.parameters.copy(), net.parameters
        x = rng.standard_normal((5, 6))
        kept = x.copy()
        assert nn.check_gradients(net, x, rng=0) == nn.check_gradients(net, x, rng=0)
        np.testing.assert_array_equal(net.parameters, before)
        np.testing.assert_array_equal(x, kept)
        assert net.parameters is state

    @pytest.mark.parametrize("seed", range(5))
    def test_of_float32(self, seed):
        net = nn.Sequential(
            nn.ButterflyLinear(256, 256, rng=seed),
            nn.ReLU(),
            nn.LayerNorm(256),
            nn.Residual(nn.Dense(256, 256, rng=seed), nn.GELU()),
            nn.Dense(256, 10, rng=seed),
        )
        nn.check_gradients(net, rng=seed)

    @pytest.mark.parametrize("name", classes_that_are_wrong())
    def test_names_what_is_wrong(self, name):
        wrong = classes_that_are_wrong()[name](4, 3, rng=0, dtype=np.float64)
        before = wrong.parameters.copy()
        with pytest.raises(AssertionError, match=f"gradient of {name} in Dense"):
            nn.check_gradients(wrong, rng=0)
        np.testing.assert_array_equal(wrong.parameters, before)
        if name == "weights":
            return
        assert 1e-6 < nn.check_gradients(wrong, rng=0, tolerance=0.1) < 1e-2

    def test_names_a_parameter_within_networks(self):
        wrong = classes_that_are_wrong()["bias"](4, 3, rng=0, dtype=np.float64)
        last = nn.Dense(3, 4, rng=0, dtype=np.float64)
        net = nn.Sequential(nn.Tanh(), nn.Residual(wrong, last))
        match = r"gradient of layers\[1\]\.layers\[0\]\.bias in"
        with pytest.raises(AssertionError, match=match):
            nn.check_gradients(net, rng=0)

    def test_of_a_zero_gradient(self):
        assert nn.check_gradients(nn.ReLU(), -np.ones((2, 3))) == 0

    def test_errors(self):
        layer = nn.Dense(3, 2, dtype=np.float64)
        cases = [
            ((np.zeros((2, 3)),), {}, TypeError, "layer must be a Layer"),
            ((layer, np.zeros((2, 4))), {}, ValueError, r"shape \(rows, 3\)"),
            ((layer, np.zeros((0, 3))), {}, ValueError, "at least one sample"),
            ((layer, [[np.nan, 1, 2]]), {}, ValueError, "x must be finite"),
            ((layer,), {"tolerance": -1}, ValueError, "tolerance must be"),
            ((layer,), {"rng": "a"}, TypeError, "rng must be"),
        ]
        for arguments, options, error, message in cases:
            with pytest.raises(error, match=message):
                nn.check_gradients(*arguments, **options)

    def test_backward_that_returns_nothing(self):
        class Silent(nn.ReLU):
            def backward(self, saved, g, gparameters, *, input_gradient=True):
                return None

        with pytest.raises(AssertionError, match=r"must return .* shape \(4, 8\)"):
            nn.check_gradients(Silent())
