"""Layers: definitions, gradients against central differences, one shared buffer."""

import copy
import pickle

import numpy as np
import pytest
import scipy.linalg

import fastbutterfly as fb
from fastbutterfly import nn

F64 = {"dtype": np.float64, "rng": 0}
LAYERS = {
    "dense": lambda: nn.Dense(5, 3, **F64),
    "dense_no_bias": lambda: nn.Dense(1, 4, bias=False, **F64),
    "square": lambda: nn.ButterflyLinear(8, 8, **F64),
    "padded": lambda: nn.ButterflyLinear(11, 11, init="gaussian", **F64),
    "truncated": lambda: nn.ButterflyLinear(20, 5, **F64),
    "widening": lambda: nn.ButterflyLinear(5, 20, bias=False, **F64),
    "one": lambda: nn.ButterflyLinear(1, 1, **F64),
    "frozen": lambda: nn.ButterflyLinear(12, 8, trainable=False, **F64),
    "mixed": lambda: nn.ButterflyLinear.from_operator(
        fb.Butterfly.random(12, rng=0, init="gaussian"), bias=np.ones(12)
    ),
    "rectangular": lambda: nn.ButterflyLinear.from_operator(
        fb.Butterfly.from_blocks(
            [np.ones((2, 3, 5)), np.ones((3, 4, 2))],
            [(2, 3, 5, 1), (3, 4, 2, 1)],
            inputs=np.arange(9, -1, -1),
        )
    ),
    "orthogonal": lambda: nn.OrthogonalLinear(8, **F64),
    "orthogonal_one": lambda: nn.OrthogonalLinear(1, **F64),
    "gadget": lambda: nn.ButterflyDense(20, 9, k_in=4, k_out=3, **F64),
    "frozen_gadget": lambda: nn.ButterflyDense(8, 8, trainable=False, **F64),
    "nested": lambda: nn.Sequential(
        nn.ButterflyLinear(8, 16, **F64),
        nn.ReLU(),
        nn.Sequential(nn.ReLU(), nn.ButterflyDense(16, 7, **F64), nn.ReLU()),
        nn.Dense(7, 3, **F64),
    ),
    "gelu": lambda: nn.Sequential(nn.Dense(4, 6, **F64), nn.GELU()),
    "tanh": lambda: nn.Sequential(nn.Dense(4, 6, **F64), nn.Tanh()),
    "sigmoid": lambda: nn.Sequential(nn.Dense(4, 6, **F64), nn.Sigmoid()),
    "layer_norm": lambda: nn.LayerNorm(6, dtype=np.float64),
    "layer_norm_one": lambda: nn.LayerNorm(1, dtype=np.float64),
    "residual": lambda: nn.Residual(
        nn.LayerNorm(4, dtype=np.float64), nn.Dense(4, 6, **F64), nn.Dense(6, 4, **F64)
    ),
    "pointwise": lambda: nn.PointWise(nn.ButterflyLinear(4, 3, **F64), 5),
    "pointwise_network": lambda: nn.PointWise(
        nn.Sequential(nn.Residual(nn.Dense(3, 3, **F64)), nn.Dropout(0.5)), 2
    ),
    "frozen_start": lambda: nn.Sequential(
        nn.ButterflyLinear(8, 8, trainable=False, bias=False, **F64),
        nn.ReLU(),
        nn.Dense(8, 2, **F64),
    ),
}


@pytest.fixture(params=LAYERS)
def layer(request, rng):
    layer = LAYERS[request.param]()
    layer.parameters[...] += 0.1 * rng.standard_normal(layer.parameters.size)
    return layer


def gradients(layer, x, g, **options):
    """Gradients of <g, layer(x)> with respect to x and the parameters."""
    gparameters = np.full_like(layer.parameters, np.nan)  # must be overwritten
    _, saved = layer.forward(x)
    return layer.backward(saved, g, gparameters, **options), gparameters


class TestGradient:
    @pytest.mark.parametrize("batch", [1, 7, 33])
    def test_is_the_directional_derivative(self, layer, rng, batch):
        x = rng.standard_normal((batch, layer.n_in))
        g = rng.standard_normal((batch, layer.n_out))
        w = layer.parameters.copy()
        gx, gw = gradients(layer, x, g)
        for _ in range(3):
            u, v = rng.standard_normal(x.shape), rng.standard_normal(w.shape)
            h = 1e-5
            ahead, behind = [], []
            for sign, values in ((h, ahead), (-h, behind)):
                layer.parameters[...] = w + sign * v
                values.append(np.vdot(g, layer.forward(x + sign * u)[0]))
            layer.parameters[...] = w
            slope = (ahead[0] - behind[0]) / (2 * h)
            scale = np.linalg.norm(gx) + np.linalg.norm(gw)
            assert abs(slope - np.vdot(gx, u) - np.vdot(gw, v)) <= 1e-7 * scale

    def test_of_parameters_needs_no_input_gradient(self, layer, rng):
        x = rng.standard_normal((4, layer.n_in))
        g = rng.standard_normal((4, layer.n_out))
        _, expected = gradients(layer, x, g)
        _, got = gradients(layer, x, g, input_gradient=False)
        np.testing.assert_array_equal(got, expected)

    def test_stops_at_the_first_layer_with_parameters(self):
        net = LAYERS["frozen_start"]()
        x, g = np.ones((3, 8)), np.ones((3, 2))
        assert gradients(net, x, g, input_gradient=False)[0] is None

    def test_leaves_its_arguments_alone(self, layer, rng):
        x = rng.standard_normal((4, layer.n_in))
        g = rng.standard_normal((4, layer.n_out))
        kept = x.copy(), g.copy()
        x.flags.writeable = g.flags.writeable = False
        gradients(layer, x, g)
        np.testing.assert_array_equal(x, kept[0])
        np.testing.assert_array_equal(g, kept[1])


class TestDefinition:
    def test_dense(self, rng):
        layer = nn.Dense(4, 3, **F64)
        x = rng.standard_normal((6, 4))
        np.testing.assert_allclose(layer(x), x @ layer.weights + layer.bias)

    def test_dense_starts_like_torch(self):
        layer = nn.Dense(100, 400, rng=0)
        for values in (layer.weights, layer.bias):
            assert 0.095 < abs(values).max() <= 0.1
        assert abs(np.mean(layer.weights**2) - 0.01 / 3) < 1e-4

    @pytest.mark.parametrize(
        "sizes", [(8, 8), (16, 3), (3, 16), (11, 11), (100, 37), (37, 100), (1, 1)]
    )
    def test_butterfly_linear(self, rng, sizes):
        layer = nn.ButterflyLinear(*sizes, **F64)
        layer.bias[...] = rng.standard_normal(sizes[1])
        x = rng.standard_normal((5, sizes[0]))
        expected = x @ layer.operator.to_dense().T + layer.bias
        np.testing.assert_allclose(layer(x), expected, rtol=1e-12, atol=1e-13)
        assert layer.operator.shape == sizes[::-1]

    def test_butterfly_linear_from_hadamard(self):
        layer = nn.ButterflyLinear.from_operator(fb.hadamard(16), bias=np.arange(16))
        expected = scipy.linalg.hadamard(16) / 4 + np.arange(16)
        np.testing.assert_allclose(layer(np.eye(16)), expected, atol=1e-14)

    @pytest.mark.parametrize("sizes", [(1024, 64), (64, 1024), (700, 700), (600, 800)])
    def test_butterfly_linear_keeps_the_mean_square(self, rng, sizes):
        x = rng.standard_normal((200, sizes[0]))
        y = nn.ButterflyLinear(*sizes, rng=rng)(x)
        assert abs(np.mean(y**2) / np.mean(x**2) - 1) < 0.1

    def test_relu(self):
        x = np.array([[-1.0, 0.0, 2.0, np.nan]])
        np.testing.assert_array_equal(nn.ReLU()(x), [[0, 0, 2, np.nan]])

    def test_sequential(self, rng):
        a, b = nn.Dense(4, 6, **F64), nn.ButterflyLinear(6, 2, **F64)
        x = rng.standard_normal((5, 4))
        expected = b(np.maximum(a(x), 0))
        np.testing.assert_array_equal(nn.Sequential(a, nn.ReLU(), b)(x), expected)

    def test_operator_is_a_frozen_copy(self):
        layer = nn.ButterflyLinear(8, 8, rng=0)
        before = layer.operator
        layer.weights[...] = 0
        assert before.weights.any()
        assert not before.weights.flags.writeable


class TestWeights:
    def test_counts(self):
        assert nn.Dense(4, 3).n_weights == 15
        assert nn.Dense(4, 3, bias=False).n_weights == 12
        assert nn.ButterflyLinear(8, 8).n_weights == 2 * 8 * 3 + 8
        assert nn.ButterflyLinear(8, 8, trainable=False).n_weights == 8
        assert nn.ReLU().n_weights == 0
        truncated = nn.ButterflyLinear(64, 3, bias=False, rng=0)
        assert truncated.n_weights == truncated.operator.n_weights
        assert truncated.n_weights < truncated.parameters.size
        net = nn.Sequential(nn.ButterflyLinear(8, 8), nn.ReLU(), nn.Dense(8, 2))
        assert net.n_weights == 56 + 18

    def test_without_effect_are_not_counted(self, rng):
        layer = nn.ButterflyLinear(30, 4, bias=False, **F64)
        x, g = rng.standard_normal((9, 30)), rng.standard_normal((9, 4))
        _, gw = gradients(layer, x, g)
        assert np.count_nonzero(gw) == layer.n_weights

    def test_share_one_buffer(self):
        net = nn.Sequential(
            nn.Dense(4, 4), nn.Sequential(nn.ReLU(), nn.ButterflyDense(4, 4))
        )
        net.parameters[...] = 7
        assert net.parameters.flags.c_contiguous
        assert (net.layers[0].weights == 7).all()
        assert (net.layers[1].layers[1].layers[2].bias == 7).all()

    @pytest.mark.parametrize(
        "duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
    )
    def test_of_a_copy_are_its_own(self, layer, duplicate, rng):
        twin, x = duplicate(layer), rng.standard_normal((3, layer.n_in))
        y = layer(x)
        np.testing.assert_array_equal(twin(x), y)
        twin.parameters[...] = 0
        np.testing.assert_array_equal(layer(x), y)
        if twin.parameters.size:
            assert not np.array_equal(twin(x), y)

    def test_depend_on_rng_alone(self):
        draws = [
            nn.ButterflyDense(20, 9, rng=rng).parameters
            for rng in (1, np.random.default_rng(1), 2)
        ]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert not np.array_equal(draws[0], draws[2])


class TestPrediction:
    def test_in_chunks_is_the_same(self, rng, monkeypatch):
        net = LAYERS["nested"]()
        x = rng.standard_normal((200, 8))
        whole = net(x)
        monkeypatch.setattr("fastbutterfly.nn.layers.layer.CHUNK_ELEMENTS", 1)
        np.testing.assert_allclose(net(x), whole, rtol=1e-13)

    def test_never_holds_all_activations(self, rng, monkeypatch):
        net, rows = nn.Sequential(nn.Dense(4, 50), nn.Dense(50, 1)), []
        forward = net.forward
        monkeypatch.setattr(net, "forward", lambda x: rows.append(len(x)) or forward(x))
        net(np.zeros((100_000, 4), np.uint8))
        assert sum(rows) == 100_000
        assert max(rows) < 30_000


class TestSequentialErrors:
    def test_sizes_must_fit(self):
        message = r"layer 2, Dense\(5, 2\), must take the 3 outputs of layer 0"
        with pytest.raises(ValueError, match=message):
            nn.Sequential(nn.Dense(4, 3), nn.ReLU(), nn.Dense(5, 2))

    def test_dtypes_must_agree(self):
        with pytest.raises(ValueError, match=r"layer 1, .* float32, got float64"):
            nn.Sequential(nn.Dense(4, 3), nn.Dense(3, 2, dtype=np.float64))

    def test_layers_belong_to_one_network(self):
        layer = nn.Dense(3, 3)
        with pytest.raises(ValueError, match=r"layer 1, .* already belongs"):
            nn.Sequential(layer, layer)
        nn.Sequential(layer)
        with pytest.raises(ValueError, match=r"layer 0, .* already belongs"):
            nn.Sequential(layer)

    def test_layers_must_be_layers(self):
        with pytest.raises(TypeError, match=r"layer 1 must be a Layer.*call it"):
            nn.Sequential(nn.Dense(3, 3), nn.ReLU)
        for layers in ((), (nn.ReLU(),)):
            with pytest.raises(ValueError, match="one that has a size"):
                nn.Sequential(*layers)


def test_a_copy_of_a_member_is_free_for_another_network():
    member = nn.Dense(3, 3, rng=0)
    nn.Sequential(member)
    nn.Sequential(copy.deepcopy(member))
    with pytest.raises(ValueError, match="network"):
        nn.Sequential(member)


def test_orthogonal_stays_orthogonal_in_training(rng):
    target = fb.Butterfly.from_angles(rng.uniform(-3, 3, (4, 8)))
    X = rng.standard_normal((200, 16))
    layer = nn.OrthogonalLinear(16, bias=False, rng=1, dtype=np.float64)
    start = np.mean((layer(X) - target.apply(X)) ** 2)
    rest = {"loss": nn.MSE(), "optimizer": nn.SGD(1, momentum=0.9), "epochs": 30}
    nn.fit(layer, X, target.apply(X), **rest)
    assert np.mean((layer(X) - target.apply(X)) ** 2) < 0.5 * start
    gram = layer.operator.T.apply(layer.operator.apply(np.eye(16)))
    np.testing.assert_allclose(gram, np.eye(16), atol=1e-14)
    assert layer.n_weights == 32
