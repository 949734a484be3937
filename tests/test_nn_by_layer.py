"""ByLayer: optimisers of layers, and the rates that suit them."""

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn


def make_net(dtype=np.float64):
    return nn.Sequential(
        nn.ButterflyLinear(16, 16, rng=0, dtype=dtype),
        nn.ReLU(),
        nn.ButterflyDense(16, 8, rng=1, dtype=dtype),
        nn.Dense(8, 3, rng=2, dtype=dtype),
    )


@pytest.mark.parametrize(
    ("layer", "scale"),
    [
        (nn.Dense(1024, 10), 1),
        (nn.ReLU(), 1),
        (nn.ButterflyLinear(1024, 1024), 1024 / 20),
        (nn.ButterflyLinear(1000, 10), 1000 / 20),
        (nn.ButterflyLinear(10, 1000), 1),
        (nn.ButterflyDense(1024, 256), 1024 / (20 + 10 + 16)),
        (nn.ButterflyLinear.from_operator(fb.Butterfly.random(768)), None),
    ],
)
def test_rate_scales(layer, scale):
    if scale is None:
        blocks = [block.shape[-1] for block in layer.operator.blocks]
        scale = layer.n_in / sum(blocks)
    assert layer.rate_scale == pytest.approx(scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_step_is_that_of_each_layer(dtype, rng):
    net = make_net(dtype)
    optimizer = nn.ByLayer(net, lambda scale: nn.Adam(0.01 * scale))
    scales = [layer.rate_scale for layer in net.layers]
    assert [o.lr for o in optimizer.optimizers] == [0.01 * s for s in scales]
    state, parameters = optimizer.init(net.parameters), net.parameters.copy()
    others = [
        (nn.Adam(0.01 * layer.rate_scale), layer.parameters.copy())
        for layer in net.layers
    ]
    states = [o.init(p) for o, p in others]
    for _ in range(3):
        g = rng.standard_normal(parameters.size).astype(dtype)
        optimizer.update(parameters, g, state)
        start = 0
        for (one, p), s in zip(others, states, strict=True):
            one.update(p, g[start : start + p.size], s)
            start += p.size
    np.testing.assert_array_equal(parameters, np.concatenate([p for _, p in others]))


def test_trains(rng):
    net, x = make_net(), rng.standard_normal((50, 16))
    optimizer = nn.ByLayer(net, lambda scale: nn.SGD(nn.constant(0.1)))
    history = nn.fit(net, x, x[:, :3], loss=nn.MSE(), optimizer=optimizer, rng=0)
    assert history.loss[-1] < history.loss[0]


def test_wrong_arguments():
    net = make_net()
    with pytest.raises(TypeError, match="net must be a Sequential, got Dense"):
        nn.ByLayer(nn.Dense(3, 2), lambda scale: nn.Adam(scale))
    with pytest.raises(TypeError, match="make must be callable"):
        nn.ByLayer(net, 0.1)
    with pytest.raises(TypeError, match="make must return an Optimizer"):
        nn.ByLayer(net, lambda scale: 0.1)
    optimizer = nn.ByLayer(net, lambda scale: nn.Adam(scale))
    with pytest.raises(ValueError, match="must have shape"):
        optimizer.init(np.zeros(3))
