"""FORMAT.md: its reader predicts as the network does, and it names every layer."""

import re
from pathlib import Path

import numpy as np
import pytest
from laws import assert_close

import fastbutterfly as fb
from fastbutterfly import nn
from fastbutterfly.nn.load import LAYERS

TEXT = (Path(__file__).parent.parent / "FORMAT.md").read_text()
READER = re.search(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[1]


def networks():
    options = {"rng": 0, "dtype": np.float64}
    decreasing = fb.Butterfly.random(16, stride="decreasing", rng=0)
    yield nn.Dense(5, 3, **options)
    yield nn.Dense(5, 3, bias=False, **options)
    yield nn.ButterflyLinear.from_operator(decreasing, bias=np.ones(16))
    yield nn.Sequential(
        nn.ButterflyLinear(20, 30, **options),
        nn.ReLU(),
        nn.ButterflyDense(30, 11, trainable=False, **options),
        nn.ReLU(),
        nn.Sequential(nn.ButterflyLinear(11, 7, bias=False, **options)),
        nn.Dense(7, 4, **options),
    )


@pytest.mark.parametrize("net", [*networks()], ids=lambda net: type(net).__name__)
def test_reader(tmp_path, rng, net):
    net.parameters[...] += rng.standard_normal(net.parameters.size)
    net.save(tmp_path / "net.npz", about={"classes": ["a"]})
    x = rng.standard_normal((6, net.n_in))
    namespace = {}
    exec(READER, namespace)
    assert_close(namespace["predict"](tmp_path / "net.npz", x), net(x), 64)


def test_reader_is_short():
    assert READER.count("\n") < 40
    assert "fastbutterfly" not in READER


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_is_described(kind):
    assert f"`{kind}`" in TEXT
