"""ONNX: standard operators, the network's outputs to rounding, small files."""

import sys

import numpy as np
import pytest
from laws import REAL, assert_close

import fastbutterfly as fb
from fastbutterfly import export, nn

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def chain(dtype, **ends):
    """A layer of rectangular and mixed blocks, 12 -> 18."""
    pattern = [(4, 3, 3, 1), (2, 3, 2, 3)]
    rng = np.random.default_rng(0)
    blocks = [rng.standard_normal((a * d, b, c)) for a, b, c, d in pattern]
    operator = fb.Butterfly.from_blocks(blocks, pattern, **ends)
    return nn.ButterflyLinear.from_operator(operator, dtype=dtype)


def networks(dtype):
    """One of every kind of layer, by name."""
    o = {"rng": 0, "dtype": dtype}
    mixed = fb.Butterfly.random(768, rng=0, dtype=dtype)
    yield "dense", nn.Dense(30, 20, **o)
    yield "dense without bias", nn.Dense(30, 1, bias=False, **o)
    yield "one number", nn.ButterflyLinear(1, 1, bias=False, **o)
    yield "matrix", nn.ButterflyLinear(64, 64, **o)
    yield "blocks", nn.ButterflyLinear(512, 512, **o)
    yield "more blocks", nn.ButterflyLinear(2048, 2048, **o)
    yield "truncated", nn.ButterflyLinear(784, 300, **o)
    yield "wide", nn.ButterflyLinear(600, 1000, trainable=False, **o)
    yield "mixed", nn.ButterflyLinear.from_operator(mixed)
    yield "decreasing", nn.ButterflyLinear.from_operator(mixed.T)
    yield "rectangular", chain(dtype)
    yield "selected", chain(dtype, inputs=[5, 0, 11], outputs=[17, 3])
    yield "gadget", nn.ButterflyDense(500, 300, **o)
    yield "rotation", nn.OrthogonalLinear(512, **o)
    yield "autoencoder", nn.EncoderDecoder(64, 60, k=4, l=12, **o)
    yield "norm", nn.LayerNorm(40, eps=1e-3, dtype=dtype)
    yield (
        "parts",
        nn.Sequential(
            nn.Sequential(nn.ButterflyLinear(32, 32, **o), nn.Tanh()),
            nn.Residual(nn.LayerNorm(32, dtype=dtype), nn.Sigmoid(), nn.Dropout(0.5)),
            nn.PointWise(nn.Residual(nn.ButterflyLinear(16, 16, **o), nn.ReLU()), 2),
            nn.PointWise(nn.PointWise(nn.ButterflyLinear(4, 6, **o), 4), 2),
            nn.Dropout(0.1),
            nn.Dense(48, 3, **o),
        ),
    )
    yield "gelu", nn.Sequential(nn.Dense(20, 30, **o), nn.GELU())


NAMES = [name for name, _ in networks(np.float32)]


def network(name, dtype, rng):
    net = dict(networks(dtype))[name]
    net.parameters[...] += 0.1 * rng.standard_normal(net.parameters.size)
    return net


def session(path, level="ORT_ENABLE_ALL"):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, level
    )
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(path, options, providers=providers)


def run(path, x):
    return session(path).run(None, {"x": x})[0]


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("name", NAMES)
def test_same_outputs(tmp_path, rng, name, dtype):
    net = network(name, dtype, rng)
    if name == "gelu" and dtype == np.float64:
        with pytest.raises(TypeError, match=r"GELU.*dtype='float32'"):
            export.to_onnx(net, tmp_path / "net.onnx")
        return
    path = export.to_onnx(net, tmp_path / "net.onnx")
    exact = dict(networks(np.float64))[name]
    exact.parameters[...] = net.parameters
    for batch in (0, 1, 7, 256):
        x = rng.standard_normal((batch, net.n_in)).astype(dtype)
        y = run(path, x)
        assert y.dtype == dtype
        assert_close(y, exact(x.astype(float)), 2 * net.n_in)


@pytest.mark.parametrize("name", NAMES)
def test_file(tmp_path, rng, name):
    net = network(name, np.float32, rng)
    path = export.to_onnx(net, tmp_path / "net.onnx", name="some")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {opset.domain for opset in model.opset_import} == {""}
    assert model.opset_import[0].version == 13
    assert model.producer_name == "fastbutterfly"
    assert model.producer_version == fb.__version__
    assert model.graph.name == "some"
    for end, n in ((model.graph.input, net.n_in), (model.graph.output, net.n_out)):
        batch, size = end[0].type.tensor_type.shape.dim
        assert (batch.dim_param, size.dim_value) == ("batch", n)
    constants, indices = net._fixed_arrays()
    size = net.parameters.nbytes + constants.nbytes + indices.nbytes
    assert path.stat().st_size < size + 600 * len(model.graph.node) + 1000
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


def test_names_tell_the_layer(tmp_path):
    net = nn.Sequential(nn.ButterflyLinear(8, 8), nn.ReLU(), nn.Dense(8, 2))
    model = onnx.load(export.to_onnx(net, tmp_path / "net.onnx"))
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    layers = {name.partition("/")[0] for name in names}
    assert layers == {"0.ButterflyLinear", "1.ReLU", "2.Dense"}
    constants = {constant.name for constant in model.graph.initializer}
    assert {"0.ButterflyLinear/blocks_2_2x2_2", "2.Dense/bias"} < constants


def test_other_dtype(tmp_path, rng):
    net = nn.Sequential(nn.ButterflyLinear(64, 64, dtype=np.float64), nn.Tanh())
    path = export.to_onnx(net, tmp_path / "net.onnx", dtype="float32")
    x = rng.standard_normal((5, 64)).astype(np.float32)
    assert_close(run(path, x), net(x.astype(float)), 64)


@pytest.mark.parametrize("name", ["blocks", "truncated", "gadget", "parts"])
def test_without_folding_constants(tmp_path, rng, name):
    net = network(name, np.float32, rng)
    path = export.to_onnx(net, tmp_path / "net.onnx")
    x = rng.standard_normal((3, net.n_in)).astype(np.float32)
    [y] = session(path, "ORT_DISABLE_ALL").run(None, {"x": x})
    assert_close(y, net(x), 2 * net.n_in)


def test_folding_constants_leaves_products(tmp_path):
    """What onnxruntime keeps of a butterfly: no work on its small blocks."""
    path = export.to_onnx(nn.ButterflyLinear(512, 512), tmp_path / "net.onnx")
    options = onnxruntime.SessionOptions()
    basic = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.graph_optimization_level = basic
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    model = onnx.load(tmp_path / "optimised.onnx")
    kinds = {node.op_type for node in model.graph.node}
    assert kinds == {"Reshape", "Transpose", "MatMul", "Add"}


def test_metadata(tmp_path):
    net = nn.Dense(3, 2)
    path = export.to_onnx(net, tmp_path / "net.onnx", metadata={"classes": "a, b"})
    metadata = session(path).get_modelmeta().custom_metadata_map
    assert metadata["classes"] == "a, b"
    assert metadata["network"].startswith("sha256 ")


class Unknown(nn.Layer):
    n_in = n_out = 3
    dtype = np.dtype(np.float32)

    def _describe(self):
        return {}


@pytest.mark.parametrize(
    ("net", "options", "error", "message"),
    [
        (nn.ReLU(), {}, TypeError, "net must be a layer with a size"),
        (Unknown(), {}, TypeError, "net has a layer without an export rule"),
        (nn.Dense(2, 2), {"dtype": "int8"}, ValueError, "dtype must be"),
        (nn.Dense(2, 2), {"name": ""}, ValueError, "name must be text, got ''"),
        (nn.Dense(2, 2), {"metadata": {"n": 1}}, TypeError, "mapping of str to str"),
        (nn.Dense(2, 2), {"metadata": {"network": "a"}}, ValueError, "key 'network'"),
    ],
)
def test_bad_arguments(tmp_path, net, options, error, message):
    with pytest.raises(error, match=message):
        export.to_onnx(net, tmp_path / "net.onnx", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, 1e300])
def test_parameters_that_are_not_finite(tmp_path, value):
    net = nn.Dense(2, 2, dtype=np.float64)
    net.bias[1] = value
    with pytest.raises(ValueError, match="finite in float32, has"):
        export.to_onnx(net, tmp_path / "net.onnx", dtype="float32")
    assert not list(tmp_path.iterdir())


def test_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        export.to_onnx(nn.Dense(2, 2), tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'fastbutterfly\[onnx\]'"):
        export.to_onnx(nn.Dense(2, 2), tmp_path / "net.onnx")
