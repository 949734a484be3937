"""save and load: bit equality, one schema, and files that are not what they claim."""

import copy
import io
import json
import zipfile

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn


def networks(dtype):
    options = {"rng": 0, "dtype": dtype}
    yield nn.Dense(3, 2, bias=False, **options)
    yield nn.ButterflyLinear(1, 1, **options)
    yield nn.ButterflyLinear(12, 5, **options)
    yield nn.ButterflyLinear(5, 12, trainable=False, bias=False, **options)
    yield nn.OrthogonalLinear(8, **options)
    yield nn.OrthogonalLinear(1, bias=False, **options)
    mixed = fb.Butterfly.random(12, rng=0, dtype=dtype)
    yield nn.ButterflyLinear.from_operator(mixed, bias=np.ones(12))
    ends = {"inputs": [3, 1, 0], "outputs": [7, 2]}
    mixed = fb.Butterfly.from_blocks(mixed.blocks, mixed.pattern, **ends)
    yield nn.ButterflyLinear.from_operator(mixed, trainable=False)
    yield nn.Sequential(
        nn.ButterflyDense(20, 16, k_in=3, **options),
        nn.ReLU(),
        nn.Sequential(nn.ButterflyLinear(16, 16, trainable=False, **options)),
        nn.ReLU(),
        nn.Dense(16, 4, **options),
    )
    yield nn.LayerNorm(5, eps=1e-3, dtype=dtype)
    yield nn.Residual(nn.LayerNorm(4, dtype=dtype), nn.Tanh(), nn.Dropout(0))
    yield nn.PointWise(nn.ButterflyLinear(4, 6, **options), 3)
    yield nn.Sequential(
        nn.GELU(),
        nn.PointWise(nn.Residual(nn.Dense(3, 3, **options), nn.Sigmoid()), 2),
        nn.Dropout(0.25),
        nn.Dense(6, 2, **options),
    )


@pytest.fixture
def saved(tmp_path):
    """A file of a small network."""
    net = nn.Sequential(
        nn.ButterflyLinear(8, 6, rng=0, trainable=False), nn.Dense(6, 2, rng=1)
    )
    net.save(tmp_path / "net.npz")
    return tmp_path / "net.npz"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("index", range(13))
def test_round_trip(tmp_path, rng, dtype, index):
    net = list(networks(dtype))[index]
    net.parameters[...] += rng.standard_normal(net.parameters.size)
    net.save(tmp_path / "net")
    twin = nn.load(str(tmp_path / "net"))
    x = rng.standard_normal((4, net.n_in))
    assert type(twin) is type(net)
    assert repr(twin) == repr(net)
    assert (twin.dtype, twin.n_weights) == (net.dtype, net.n_weights)
    np.testing.assert_array_equal(twin.parameters, net.parameters)
    np.testing.assert_array_equal(twin(x), net(x))
    twin.parameters[...] = 0  # writable, and the layers see it
    twin.save(tmp_path / "net")
    np.testing.assert_array_equal(nn.load(tmp_path / "net")(x), twin(x))


def test_special_values_survive(tmp_path):
    net = nn.Dense(2, 2)
    net.weights[...] = [[np.nan, -np.inf], [-0.0, 1e-42]]
    net.save(tmp_path / "net.npz")
    twin = nn.load(tmp_path / "net.npz")
    np.testing.assert_array_equal(twin.weights.view("u4"), net.weights.view("u4"))


def test_file_is_plain_npz(saved):
    with np.load(saved, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        assert sorted(arrays) == ["constants", "header", "indices", "parameters"]
        assert arrays["parameters"].shape == (20,)
        assert arrays["constants"].shape == (48,)
        assert arrays["indices"].shape == (14,)
    assert (header["format"], header["version"]) == ("fastbutterfly network", 1)
    assert [layer["type"] for layer in header["layer"]["layers"]] == [
        "ButterflyLinear",
        "Dense",
    ]


class TestAbout:
    def test_round_trip(self, tmp_path):
        known = {"classes": ["[0, 1)", "[1, 2)"] * 200, "ä": [1, 0.5, None, True, {}]}
        net = nn.Dense(2, 2)
        net.save(tmp_path / "net.npz", about=known)
        assert nn.about(tmp_path / "net.npz") == known
        twin = nn.load(tmp_path / "net.npz")
        np.testing.assert_array_equal(twin.parameters, net.parameters)

    def test_nothing(self, saved):
        assert nn.about(saved) == {}

    @pytest.mark.parametrize(
        "value", ["text", ["a"], {1: 2}, {"a": np.ones(2)}, {"a": (1,)}, {"a": np.nan}]
    )
    def test_what_json_does_not_hold(self, tmp_path, value):
        with pytest.raises(TypeError, match="about must be a dict of what JSON holds"):
            nn.Dense(2, 2).save(tmp_path / "net.npz", about=value)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("value", [1, [2], np.nan])
    def test_damage(self, saved, value):
        rewrite(saved, json=entry(about=value))
        with pytest.raises(ValueError, match=r"net\.npz.* is not a network"):
            nn.about(saved)


class TestWrite:
    def test_failure_keeps_the_earlier_file(self, saved, monkeypatch):
        before = saved.read_bytes()

        def fail(file, **arrays):
            file.write(b"half")
            raise OSError("disk full")

        monkeypatch.setattr(np, "savez", fail)
        with pytest.raises(OSError, match="disk full"):
            nn.Dense(2, 2).save(saved)
        assert saved.read_bytes() == before
        assert list(saved.parent.iterdir()) == [saved]

    def test_missing_folder(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            nn.Dense(2, 2).save(tmp_path / "nowhere" / "net.npz")

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            nn.load(tmp_path / "nowhere.npz")

    def test_layer_of_a_user(self, tmp_path):
        class Own(nn.Layer):
            pass

        with pytest.raises(NotImplementedError, match="Own cannot be saved"):
            Own().save(tmp_path / "net.npz")


def rewrite(path, **changes):
    """Replace arrays of a file; a function changes the array or, for layers, JSON."""
    with np.load(path) as arrays:
        arrays = dict(arrays)
    for name, change in changes.items():
        if name == "json":
            header = json.loads(arrays["header"].tobytes())
            header = change(header) or header
            arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        else:
            arrays[name] = change(arrays[name]) if callable(change) else change
    np.savez(path, **arrays)


def layer_entry(index, **entries):
    return lambda header: header["layer"]["layers"][index].update(entries)


def entry(**entries):
    return lambda header: header.update(entries)


def lone_layer(**description):
    return {"json": entry(layer=description)}


DEEP = b'{"layer":' * 100_000 + b"1" + b"}" * 100_000

HOSTILE = {
    "other format": ({"json": entry(format="x")}, "it is not a saved network"),
    "header a list": ({"json": lambda header: [1]}, "it is not a saved network"),
    "version": ({"json": entry(version=2)}, "version 2, this release reads 1"),
    "newer version with more arrays": (
        {"json": entry(version=2), "more": np.zeros(1)},
        "version 2, this release reads 1; a newer release",
    ),
    "no header": ({"header": lambda a: np.zeros(1, np.uint8)}, None),
    "version bool": ({"json": entry(version=True)}, "version True"),
    "dtype": ({"json": entry(dtype="float16")}, "dtype must be float32 or float64"),
    "no layer": ({"json": entry(layer=None)}, "a layer must have a type"),
    "layer type": ({"json": layer_entry(0, type="os.system")}, "got 'os.system'"),
    "type a list": ({"json": layer_entry(0, type=["Dense"])}, "must have a type"),
    "nested too deep": ({"header": np.frombuffer(DEEP, np.uint8)}, None),
    "no layers": ({"json": entry(layer={"type": "Sequential"})}, "'layers'"),
    "not a gadget": (
        {"json": lambda header: header["layer"].update(type="ButterflyDense")},
        "ButterflyDense cannot be made of",
    ),
    "huge": ({"json": layer_entry(1, n_in=10**30)}, "parameters has 14 numbers left"),
    "negative": ({"json": layer_entry(1, n_in=-6, n_out=-2)}, "positive 'n_in'"),
    "no inputs": ({"json": layer_entry(1, n_in=0)}, "positive 'n_in', got 0"),
    "float size": ({"json": layer_entry(1, n_in=6.0)}, "'n_in', of type int"),
    "bool size": ({"json": layer_entry(1, n_in=True)}, "'n_in', of type int"),
    "unfitting": ({"json": layer_entry(1, n_in=2, n_out=6)}, "left|too many|must take"),
    "norm": (lone_layer(type="LayerNorm", n=10**30, eps=1e-5), "20 numbers left"),
    "norm n": (lone_layer(type="LayerNorm", n=0, eps=1e-5), "positive 'n'"),
    "norm eps": (lone_layer(type="LayerNorm", n=3, eps=0.0), "eps must be positive"),
    "norm eps nan": (lone_layer(type="LayerNorm", n=3, eps=np.nan), "eps must be"),
    "norm no eps": (lone_layer(type="LayerNorm", n=3), "'eps', of type float"),
    "dropout": (lone_layer(type="Dropout", rate=1.0), "rate must be .* below 1"),
    "dropout int": (lone_layer(type="Dropout", rate=0), "'rate', of type float"),
    "residual": (
        {"json": lambda header: header["layer"].update(type="Residual")},
        "as many outputs as inputs",
    ),
    "pointwise": (
        {"json": lambda header: header["layer"].update(type="PointWise", positions=2)},
        "PointWise needs one layer, got 2",
    ),
    "positions": (
        lone_layer(type="PointWise", layers=[{"type": "ReLU"}], positions=0),
        "positive 'positions'",
    ),
    "pointwise size": (
        lone_layer(type="PointWise", layers=[{"type": "ReLU"}], positions=1),
        "one that has a size",
    ),
    "n": ({"json": layer_entry(0, n=6)}, "a power of two as 'n', got 6"),
    "huge n": ({"json": layer_entry(0, n=2**70)}, "constants has 48 numbers left"),
    "stride": ({"json": layer_entry(0, stride="no")}, "stride must be one of"),
    "n zero": ({"json": layer_entry(0, n=0)}, "positive 'n', got 0"),
    "short": ({"parameters": lambda a: a[:-1]}, "numbers left where a layer needs"),
    "long": ({"parameters": lambda a: np.append(a, a[:1])}, "1 numbers too many"),
    "index": ({"indices": lambda a: a + 1}, r"inputs must lie in 0 \.\.\. 7"),
    "negative index": ({"indices": lambda a: a - 1}, "inputs must lie in"),
    "repeated index": ({"indices": lambda a: a * 0}, "inputs must not repeat"),
    "float index": ({"indices": lambda a: a.astype(float)}, "indices must be int64"),
    "other dtype": (
        {"parameters": lambda a: a.astype(float)},
        "parameters must be float32, got float64",
    ),
    "pickled": ({"parameters": np.array([{}], object)}, "must hold plain numbers"),
    "structured": ({"parameters": np.zeros(14, "f4,f4")}, "plain numbers"),
    "two-dimensional": ({"parameters": lambda a: a[:, None]}, r"shape \(20, 1\)"),
    "one number": ({"parameters": np.float32(1)}, r"shape \(\)"),
    "extra array": ({"more": np.zeros(1)}, "it holds other arrays"),
    "binary header": ({"header": np.frombuffer(b"\xff\xfe", np.uint8)}, None),
    "no JSON": ({"header": np.frombuffer(b"hello", np.uint8)}, None),
    "header floats": ({"header": np.zeros(3)}, "its header is not text"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file(saved, case):
    changes, message = HOSTILE[case]
    rewrite(saved, **changes)
    with pytest.raises(ValueError, match="is not a network that") as caught:
        nn.load(saved)
    assert str(saved) in str(caught.value)
    if message:
        assert caught.match(message)


def test_truncated_file(saved):
    content = saved.read_bytes()
    for size in range(0, len(content), 97):
        saved.write_bytes(content[:size])
        with pytest.raises(ValueError, match="is not a network that"):
            nn.load(saved)


def test_damaged_file(saved):
    """One wrong byte is noticed, or was of no importance (a date, a name's case)."""
    content, net = saved.read_bytes(), nn.load(saved)
    for position in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[position] ^= 0x41
        saved.write_bytes(damaged)
        try:
            twin = nn.load(saved)
        except ValueError:
            continue
        np.testing.assert_array_equal(twin.parameters, net.parameters)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_compressed_members_are_refused(saved):
    contents = members(saved)
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="stored without compression"):
        nn.load(saved)


def test_huge_declared_shape_allocates_nothing(saved):
    contents, fake = members(saved), io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(fake, header)
    contents["parameters.npy"] = fake.getvalue() + bytes(8)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match="but 8 bytes"):
        nn.load(saved)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04N.", b"PK\x03\x04"])
def test_foreign_file(tmp_path, content):
    path = tmp_path / "foreign.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"foreign\.npz.* is not a network"):
        nn.load(path)


def test_a_frozen_layer_stays_frozen_when_copied():
    layer = nn.ButterflyLinear(8, 8, trainable=False, rng=0)
    again = copy.deepcopy(layer)
    np.testing.assert_array_equal(again.weights, layer.weights)
    with pytest.raises(ValueError, match="WRITEABLE"):
        again.weights.setflags(write=True)


def test_refuses_to_save_what_cannot_be_loaded(tmp_path):
    net = nn.Dense(2, 2, rng=0)
    for _ in range(60):
        net = nn.Sequential(net)
    with pytest.raises(ValueError, match="nested at most 50 deep"):
        net.save(tmp_path / "deep.npz")
    assert not list(tmp_path.iterdir())
