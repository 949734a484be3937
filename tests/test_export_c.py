"""to_c, floating point: what compilers make of the code computes what the network does.

All kinds of layers x forms x dtypes are linked into one program for each compiler.
"""

import itertools
import re
import shutil
import subprocess

import exports
import numpy as np
import pytest
from laws import tolerance

from fastbutterfly import export, nn
from fastbutterfly.nn.layers import activations

DTYPES = {"f": np.float32, "d": np.float64}
FORMS = "loops", "vector"
EVERY = [
    f"{name}_{form}_{kind}"
    for name, form, kind in itertools.product(
        exports.floating(np.float32), FORMS, DTYPES
    )
]
BUILDS = [
    ("gcc", "-O2"),
    ("gcc", "-O0"),
    ("gcc", "-O1", *exports.SANITIZED),
    ("clang", "-O2"),
    ("clang", "-O0", *exports.SANITIZED),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Every network x form x dtype."""
    made = exports.Program(tmp_path_factory.mktemp("floats"))
    nets = {kind: exports.floating(dtype) for kind, dtype in DTYPES.items()}
    for every in EVERY:
        name, form, kind = every.rsplit("_", 2)
        dtype = np.dtype(DTYPES[kind]).name
        made.add(every, nets[kind][name], dtype=dtype, form=form)
    return made


@pytest.fixture(scope="module")
def samples(program):
    """A thousand random rows, a thousand digits, then rows that are not finite."""
    rows, rng = {}, np.random.default_rng(0)
    for name, (net, *_) in program.nets.items():
        x, n = exports.samples(net.n_in, rng), net.n_in
        bad = x[: 3 * 4].copy()
        for row, value in enumerate(4 * [np.nan, np.inf, -np.inf]):
            bad[row, rng.integers(n)] = value
        rows[name] = np.concatenate([x, bad]).astype(DTYPES[name[-1]])
    return rows


@pytest.fixture(scope="module")
def expected(program, samples):
    """What the networks compute themselves."""
    with np.errstate(all="ignore"):
        return {name: net(samples[name]) for name, (net, *_) in program.nets.items()}


def agree(actual, expected, n):
    """In norm relative to the row or a typical row; NaN and infinities are equal."""
    bad = ~np.isfinite(expected)
    same = np.array_equal(actual[bad], expected[bad], equal_nan=True)
    y, z = (np.where(bad, 0, v).astype(float) for v in (actual, expected))
    sizes = np.linalg.norm(z, axis=1)
    sizes = np.maximum(sizes, np.sqrt(np.mean(sizes**2)))
    errors = np.linalg.norm(y - z, axis=1)
    return same and np.all(errors <= tolerance(expected.dtype, n) * sizes)


@pytest.mark.parametrize("build", BUILDS, ids="".join)
def test_scores_and_classes_are_the_networks(program, samples, expected, build):
    exports.skip_without(*build)
    path, every = program.build(*build), 1 if build == BUILDS[0] else 8
    actual = program(path, {name: x[::every] for name, x in samples.items()})
    wrong = []
    for name, (scores, classes) in actual.items():
        want, finite = expected[name][::every], np.isfinite(scores).all(axis=1)
        best = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0] > 0
        if not np.array_equal(classes[finite], best[finite]):
            wrong.append(f"{name}: class")
        if not agree(scores, want, 16 * want.shape[1]):
            wrong.append(f"{name}: scores")
    assert not wrong


def small(*between):
    """A small network with something between its layers."""
    ends = nn.ButterflyDense(24, 20, rng=0), nn.Dense(20, 3, rng=0)
    return exports.spread_out(nn.Sequential(ends[0], *between, ends[1]))


SMALL = small(nn.LayerNorm(20), nn.GELU())
SELFTEST = """
#include "model.h"
int main(void) { return model_selftest() > 0; }
"""
CPP = """
#include "model.h"
int main()
{
    float x[MODEL_INPUTS];
    for (float &v : x)
        v = 1;
    return model_class(x);
}
"""
THREADS = """
#include <pthread.h>
#include <string.h>
#include "model.h"
static float x[2][MODEL_INPUTS], y[2][MODEL_OUTPUTS], z[2][MODEL_OUTPUTS];
static void *work(void *at)
{
    const int i = at != x[0];
    float scratch[MODEL_SCRATCH];
    for (int k = 0; k < 2000; k++) {
        model_scores_r(x[i], y[i], scratch);
        model_class_r(x[i], scratch);
    }
    return 0;
}
int main(void)
{
    pthread_t one, two;
    for (int i = 0; i < 2 * MODEL_INPUTS; i++)
        x[0][i] = (float)(i % 7) - 2;
    for (int i = 0; i < 2; i++)
        model_scores(x[i], z[i]);
    pthread_create(&one, 0, work, x[0]);
    pthread_create(&two, 0, work, x[1]);
    pthread_join(one, 0);
    pthread_join(two, 0);
    return memcmp(y, z, sizeof y) != 0;
}
"""


def exit_code(folder, main, *flags):
    """Of a program of model.c and this."""
    (folder / "main.c").write_text(main)
    files = "main.c", "model.c", "-o", "program", "-lm"
    exports.run(["gcc", *exports.STRICT, *flags, *files], folder)
    return subprocess.run([folder / "program"], check=False).returncode


def constants(source):
    """The constant arrays of a source, texts by name."""
    arrays = r"^static const \w+ (c\d+)\[\d+\] = \{(.*?)\}"
    matches = re.findall(arrays, source, re.M | re.S)
    return {name: text.replace(",", " ").split() for name, text in matches}


@pytest.mark.parametrize("dtype", ["float32", "int8", "int16"])
def test_self_test_sees_that_weights_change(tmp_path, rng, dtype):
    net = SMALL if dtype == "float32" else small(nn.ReLU())
    made = export.to_c(net, tmp_path, dtype=dtype, samples=rng.standard_normal((9, 24)))
    right = made.source.read_text()
    assert exit_code(tmp_path, SELFTEST, "-DMODEL_SELFTEST") == 0
    tables = re.findall(r"uint16_t (c\d+)", right)
    weights = {k: texts for k, texts in constants(right).items() if k not in tables}
    assert len(weights) > 8
    for name, texts in weights.items():
        head, body = re.split(rf"(?<= {name}\[{len(texts)}\] = ){{", right)
        wrong = ", ".join(len(texts) * ["13"])
        made.source.write_text(f"{head}{{{wrong}}}{body.partition('}')[2]}")
        assert exit_code(tmp_path, SELFTEST, "-DMODEL_SELFTEST") == 1, name


def test_threads_with_scratch_of_their_own_do_not_meet(tmp_path):
    export.to_c(SMALL, tmp_path)
    flags = "-fsanitize=thread", "-pthread", "-g", "-O1"
    assert exit_code(tmp_path, THREADS, *flags) == 0


def test_header_is_cpp_too(tmp_path):
    export.to_c(SMALL, tmp_path)
    (tmp_path / "main.cpp").write_text(CPP)
    exports.run(["gcc", "-std=c99", "-c", "model.c"], tmp_path)
    strict = "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic"
    files = "main.cpp", "model.o", "-o", "program"
    exports.run(["g++", *strict, *files, "-lm"], tmp_path)
    done = subprocess.run([tmp_path / "program"], check=False)
    assert done.returncode == SMALL(np.ones((1, 24))).argmax()


@pytest.mark.parametrize(("dtype", "kind"), [("float32", "f"), ("float64", "d")])
def test_weights_survive(tmp_path, rng, dtype, kind):
    """One-hot samples bring the weights back, to the bit; the source has them too."""
    limits, net = np.finfo(dtype), nn.Dense(16, 20, bias=False, dtype=dtype)
    bits = rng.integers(0, 1 << 62, net.weights.size, dtype=np.uint64)
    bits = bits.view(float) if kind == "d" else (bits >> 31).astype("u4").view("f4")
    bits[~np.isfinite(bits)] = 1
    net.weights.reshape(-1)[...] = bits
    net.weights[0, :9] = [
        *(limits.max, limits.tiny, limits.smallest_subnormal, -limits.tiny / 3),
        *(0.1, 1 / 3, 16777216, 1e20, -limits.max),
    ]
    program = exports.Program(tmp_path)
    made = program.add("big", net, dtype=dtype, samples=np.zeros((1, 16)))
    for compiler in filter(shutil.which, ("gcc", "clang")):
        scores, _ = program(program.build(compiler), {"big": np.eye(16)})["big"]
        np.testing.assert_array_equal(scores.view("u1"), net.weights.view("u1"))
    texts = constants(made.source.read_text())["c0"]
    assert all(text.endswith("f") == (kind == "f") for text in texts)
    read = np.array([float(text.rstrip("f")) for text in texts]).astype(dtype)
    np.testing.assert_array_equal(read, net.weights.T.reshape(-1))


BAD_NAMES = (
    "",
    "1a",
    "_a",
    "a-b",
    "a b",
    "ä",
    "a\n",
    "../a",
    "math",
    "Math",
    "signal",
    3,
)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="name must start with a letter"):
        export.to_c(SMALL, tmp_path, name=name)
    assert not list(tmp_path.iterdir())


def test_bad_input_is_refused_and_nothing_is_written(tmp_path):
    net, folder = nn.Dense(2, 2), tmp_path / "new"
    bad, huge = nn.Dense(2, 2), nn.Dense(2, 2, dtype=float)
    bad.weights[0, 0], huge.weights[0, 0] = np.nan, 1e300
    vector = {"dtype": "int8", "form": "vector", "samples": [[1.0, 2.0]]}
    for error, message, options in [
        (TypeError, "net must be a layer with a size, got 3", {"net": 3}),
        (TypeError, "net must be a layer with a size", {"net": nn.ReLU()}),
        (ValueError, "parameters finite in float32, has nan", {"net": bad}),
        (ValueError, r"parameters finite in float32, has 1e\+300", {"net": huge}),
        (ValueError, "dtype must be", {"dtype": "float16"}),
        (ValueError, "form must be", {"form": "fast"}),
        (ValueError, "floats=False needs integers", {"floats": False}),
        (ValueError, "samples must be finite .* nan", {"samples": [[np.nan, 1]]}),
        (ValueError, "samples must be finite .* 1e", {"samples": [[1e300, 1]]}),
        (ValueError, "samples must have shape", {"samples": [1.0, 2.0]}),
        (ValueError, "samples must have shape", {"samples": [[1.0]]}),
        (ValueError, "samples must hold at least one", {"samples": np.empty((0, 2))}),
        (ValueError, "samples must be given", {"dtype": "int8"}),
        (ValueError, "form must be 'loops' for int8", vector),
        (ValueError, "ram must be", {"ram": 0}),
        (TypeError, "directory must be a string or a path", {"directory": None}),
    ]:  # fmt: skip
        with pytest.raises(error, match=message):
            export.to_c(**({"net": net, "directory": folder} | options))
    assert not folder.exists()


class Odd(nn.Layer):
    n_in, n_out, dtype = 2, 2, np.float32

    def forward(self, x):
        return x, None


class Swish(activations.Activation):
    def forward(self, x):
        return x / (1 + np.exp(-x)), x


class Twice(nn.Dense):
    def forward(self, x):
        y, saved = super().forward(x)
        return 2 * y, saved


class Doubled(nn.ReLU):
    def _value(self, x):
        return 2 * x, x


class Borrowed(nn.ReLU):
    _value = nn.Tanh._value


class Backwards(nn.Sequential):
    def _run(self, x, rng):
        return super()._run(x[:, ::-1], rng)


class Square(activations.Activation):
    def _value(self, x):
        return x * x, x


@pytest.mark.parametrize(
    "layer",
    [
        *(Odd(), Swish(), Twice(2, 2), Doubled(), Borrowed(), Square()),
        Backwards(nn.Dense(2, 2)),
    ],
)
def test_layers_without_a_rule_are_named(tmp_path, layer):
    net = nn.Sequential(nn.Dense(2, 2), nn.Sequential(nn.Dense(2, 2), layer))
    message = f"without an export rule, {re.escape(repr(layer))}; there are rules for"
    with pytest.raises(TypeError, match=message):
        export.to_c(net, tmp_path)
    with pytest.raises(TypeError, match=message):
        export.quantize(net, np.eye(2))
    assert not list(tmp_path.iterdir())


class Narrow(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Dense(2, 2, rng=0), Rectifier())


class Rectifier(nn.ReLU):
    """Only a name."""


Rectifier.__name__ = "Sigmoid"  # that of another layer


def test_subclasses_that_compute_the_same_are_exported(tmp_path):
    plain = nn.Sequential(nn.Dense(2, 2, rng=0), nn.ReLU())
    made = [
        export.to_c(net, tmp_path / str(i)) for i, net in enumerate((plain, Narrow()))
    ]
    expected, actual = (files.source.read_text() for files in made)
    assert expected == actual.replace("Sigmoid()", "ReLU()")  # in a comment


def test_ram_that_is_too_small_names_what_fits(tmp_path):
    plain = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 10))
    made = export.to_c(plain, tmp_path, form="vector", dtype="float64")
    export.to_c(plain, tmp_path, form="vector", dtype="float64", ram=made.ram)
    options = {"form": "vector", "dtype": "float64", "ram": 300}
    with pytest.raises(
        ValueError, match=f"at least {made.ram} bytes.*loops' takes 296"
    ):
        export.to_c(plain, tmp_path / "a", **options)
    with pytest.raises(
        ValueError, match=r"dtype='int8' or 'int16' takes (\d+)"
    ) as info:
        export.to_c(plain, tmp_path / "a", ram=280)
    said = int(re.search(r"'int16' takes (\d+)", str(info.value))[1])
    x = np.random.default_rng(0).standard_normal((9, 64))
    assert export.to_c(plain, tmp_path, dtype="int8", samples=x).ram == said
    curved = nn.Sequential(nn.Dense(64, 64), nn.Tanh(), nn.Dense(64, 10))
    with pytest.raises(ValueError, match="no other form fits"):
        export.to_c(curved, tmp_path / "a", ram=280)
    assert not (tmp_path / "a").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "below"):
        with pytest.raises(OSError, match="file"):
            export.to_c(SMALL, folder)
    before = export.to_c(SMALL, tmp_path / "a").source.read_text()
    (tmp_path / "b" / "model.h").mkdir(parents=True)
    with pytest.raises(OSError, match=r"model\.h"):
        export.to_c(SMALL, tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["model.h"]
    assert (tmp_path / "a" / "model.c").read_text() == before


def test_what_the_header_says(tmp_path):
    net = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 10))
    made = export.to_c(net, tmp_path)
    text, arrays = made.header.read_text(), constants(made.source.read_text())
    assert f"flash  {made.flash} bytes" in text
    assert f"RAM    {made.ram} bytes" in text
    assert f"work   {made.products} multiply-adds" in text
    assert made.products == 64 * 2 * 6 + 64 * 10
    assert made.flash == 4 * sum(map(len, arrays.values())) == 4 * net.n_weights
    exports.run(["gcc", "-std=c99", "-O2", "-c", "model.c"], tmp_path)
    sections = exports.run(["size", "-A", "model.o"], tmp_path).decode()
    bss = int(re.search(r"^\.bss +(\d+)", sections, re.M)[1])
    assert made.ram <= bss <= made.ram + 32  # rounded up to lines
    assert re.search(r"^\.data +0", sections, re.M)


@pytest.mark.parametrize("dtype", DTYPES.values())
@pytest.mark.parametrize("exported", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0, 1e4])
def test_self_test_knows_what_roundings_do(tmp_path, rng, dtype, exported, offset):
    """In another precision than the network's, and where large terms cancel."""
    layers = nn.Dense(8, 64, rng=0, dtype=dtype), nn.Dense(64, 3, rng=1, dtype=dtype)
    layers[0].bias[...] = -offset * layers[0].weights.sum(axis=0, dtype=float)
    net = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    x = offset + rng.standard_normal((3, 8))
    made = export.to_c(net, tmp_path, dtype=exported, samples=x)
    assert exit_code(tmp_path, SELFTEST, "-DMODEL_SELFTEST") == 0
    name, texts = list(constants(made.source.read_text()).items())[-1]
    source = made.source.read_text()
    assert f"{name}[3] = {{" in source  # the last bias
    made.source.write_text(source.replace(texts[0], "0.5"))
    assert exit_code(tmp_path, SELFTEST, "-DMODEL_SELFTEST") == 1


def test_calls_stand_below_their_layer(tmp_path):
    layers = nn.ButterflyDense(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Dense(32, 3)
    source = export.to_c(nn.Sequential(*layers), tmp_path).source.read_text()
    body = source[source.index("static void run(") :]
    marks = [f"/* {layer!r} */" for layer in (*layers[0].layers, layers[1], layers[3])]
    positions = [body.index(mark) for mark in marks]
    assert positions == sorted(positions)
    assert body.index("matrix(", positions[-1]) > positions[-1] > body.index("relu(")
