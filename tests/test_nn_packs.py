"""Layers pack their weights once, and again whenever these have changed."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import laws
import numpy as np
import pytest

from fastbutterfly import nn
from fastbutterfly._base.threads import parts

LAYERS = {
    "square": lambda rng, **options: nn.ButterflyLinear(64, 64, rng=rng, **options),
    "few outputs": lambda rng, **options: nn.ButterflyLinear(64, 3, rng=rng, **options),
    "few inputs": lambda rng, **options: nn.ButterflyLinear(3, 64, rng=rng, **options),
    "gadget": lambda rng, **options: nn.ButterflyDense(64, 32, rng=rng, **options),
}


def again(layer):
    """A layer of the same parameters that has packed nothing yet."""
    return pickle.loads(pickle.dumps(layer))


@pytest.mark.parametrize("batch", [1, 2, 20])
@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize("name", LAYERS)
def test_written_parameters_count_at_once(name, dtype, batch, rng):
    layer = LAYERS[name](rng, dtype=dtype)
    x = laws.draw(rng, (batch, layer.n_in), dtype)
    y = layer(x)
    last = layer.parameters.size - layer.n_out - 1  # the last weight, before the bias
    for i in (0, last, slice(None)):
        layer.parameters[i] += 1
        np.testing.assert_array_equal(layer(x), again(layer)(x))
    assert not np.array_equal(layer(x), y)


@pytest.mark.parametrize("batch", [2, 20])
@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_of_the_weights_as_they_are(name, batch, rng):
    layer = LAYERS[name](rng)
    x = laws.draw(rng, (batch, layer.n_in), layer.dtype)
    g = laws.draw(rng, (batch, layer.n_out), layer.dtype)
    for _ in range(2):
        gradients = []
        for member in (layer, again(layer)):
            gradient = np.zeros_like(member.parameters)
            _, saved = member.forward(x)
            gradients.append((member.backward(saved, g, gradient), gradient))
        for a, b in zip(*gradients, strict=True):
            np.testing.assert_array_equal(a, b)
        layer.parameters[...] *= 2


def test_signs_of_zero_and_nan_count(rng):
    layer = nn.ButterflyLinear(8, 8, rng=rng, bias=False, init="identity")
    x = np.ones((1, 8), np.float32)
    layer(x)
    layer.weights[-1] = 0.0
    assert not np.signbit(layer(x)).any()
    layer.weights[-1] = -0.0
    np.testing.assert_array_equal(np.signbit(layer(x)), np.signbit(again(layer)(x)))
    layer.weights[-1] = np.nan
    assert np.isnan(layer(x)).all()


def test_copies_have_packs_of_their_own(rng):
    layer = nn.ButterflyLinear(64, 64, rng=rng)
    x = laws.draw(rng, (3, 64), np.float32)
    y = layer(x)
    other = copy.deepcopy(layer)
    other.parameters[...] *= 2
    assert not np.array_equal(other(x), y)
    np.testing.assert_array_equal(layer(x), y)


def test_threads_may_share_a_layer(rng):
    layer = nn.ButterflyLinear(64, 64, rng=rng)
    batches = [laws.draw(rng, (1 + i % 3, 64), np.float32) for i in range(60)]
    expected = [again(layer)(x) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        for y, right in zip(pool.map(layer, batches), expected, strict=True):
            np.testing.assert_array_equal(y, right)


@pytest.mark.parametrize("unit", [1, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 16])
@pytest.mark.parametrize("least", [1, 20])
@pytest.mark.parametrize("length", [0, 1, 2, 7, 24, 25, 1000])
def test_parts_cover_all_and_are_whole(length, least, count, unit):
    slices = parts(length, unit, count, least)
    assert [i for part in slices for i in range(part.start, part.stop)] == [
        *range(length)
    ]
    sizes = [part.stop - part.start for part in slices]
    assert len(sizes) <= count
    assert all(size % unit == 0 and size >= least for size in sizes[:-1])
    assert len(sizes) < 2 or sizes[-1] >= unit


def test_relu_takes_any_order_and_keeps_nan(rng):
    layer = nn.ReLU()
    x = laws.draw(rng, (5, 4), np.float32).T
    x[1, 2] = np.nan
    y, saved = layer.forward(x)
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    g = laws.draw(rng, (5, 4), np.float32).T
    gx = layer.backward(saved, g, layer.parameters)
    np.testing.assert_array_equal(gx, np.where(x > 0, g, 0))
