"""Bad input: it works, or an error says what was wanted; nothing is modified."""

import numpy as np
import pytest

from fastbutterfly import nn

BASE = np.arange(24).reshape(3, 8) % 5
FORMS = {
    "list": lambda: BASE.tolist(),
    "int8": lambda: BASE.astype(np.int8),
    "bool": lambda: BASE > 0,
    "uint64": lambda: BASE.astype(np.uint64),
    "float16": lambda: BASE.astype(np.float16),
    "float64": lambda: BASE.astype(np.float64),
    "big-endian": lambda: BASE.astype(">f4"),
    "fortran": lambda: np.asfortranarray(BASE.astype(np.float32)),
    "strided": lambda: np.repeat(BASE, 2, axis=1).astype(np.float32)[:, ::2],
    "reversed": lambda: BASE[::-1, ::-1].astype(np.float32)[::-1, ::-1],
}
NETS = {
    "dense": lambda: nn.Dense(8, 4, rng=0),
    "butterfly": lambda: nn.ButterflyLinear(8, 4, rng=0),
    "gadget": lambda: nn.ButterflyDense(8, 4, rng=0),
    "norm": lambda: nn.LayerNorm(8),
    "pointwise": lambda: nn.PointWise(nn.Residual(nn.Dense(4, 4, rng=0)), 2),
    "network": lambda: nn.Sequential(nn.Dense(8, 8, rng=0), nn.ReLU()),
}


@pytest.mark.parametrize("kind", NETS)
class TestPrediction:
    @pytest.mark.parametrize("form", FORMS)
    def test_takes_any_real_array(self, kind, form):
        net, x = NETS[kind](), FORMS[form]()
        before = np.array(x)
        if isinstance(x, np.ndarray):
            x.flags.writeable = False
        y = net(x)
        np.testing.assert_array_equal(x, before)
        plain = np.ascontiguousarray(before, np.float32)
        np.testing.assert_array_equal(y, net(plain))
        assert y.dtype == np.float32

    def test_empty_batch(self, kind):
        net = NETS[kind]()
        assert net(np.zeros((0, 8))).shape == (0, net.n_out)

    def test_nan_stays_nan(self, kind):
        x = BASE.astype(np.float32)
        x[1] = np.nan
        y = NETS[kind]()(x)
        assert np.isnan(y[1]).all()
        assert np.isfinite(y[[0, 2]]).all()

    def test_errors(self, kind):
        net = NETS[kind]()
        cases = [
            (np.zeros((3, 7)), ValueError, r"x must have shape \(rows, 8\), got"),
            (np.zeros(8), ValueError, r"got \(8,\); for one sample use x\[None, :\]"),
            (np.zeros((2, 3, 8)), ValueError, r"got \(2, 3, 8\)"),
            (3.0, ValueError, r"got \(\)"),
            (np.zeros((3, 8), complex), TypeError, "got dtype complex128"),
            (np.zeros((3, 8), object), TypeError, "got dtype object"),
            ([["a"] * 8], TypeError, "got dtype <U1"),
            ([[1.0], [1.0, 2.0]], ValueError, "x must be a rectangular array"),
            (None, TypeError, "x must hold real numbers"),
        ]
        for x, error, message in cases:
            with pytest.raises(error, match=message):
                net(x)


@pytest.mark.parametrize("make", [nn.Dense, nn.ButterflyLinear, nn.ButterflyDense])
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0, 4), {}, ValueError, "n_in must be at least 1, got 0"),
        ((4, -1), {}, ValueError, "n_out must be at least 1, got -1"),
        ((4.0, 4), {}, TypeError, "n_in must be an int, got 4.0"),
        ((4, 4), {"dtype": np.float16}, ValueError, "dtype must be float32 or float64"),
        ((4, 4), {"dtype": "x"}, ValueError, "dtype must be float32 or float64"),
        ((4, 4), {"bias": "no"}, TypeError, "bias must be True or False, got 'no'"),
        ((4, 4), {"rng": "seed"}, TypeError, "rng must be None"),
    ],
)
def test_construction_errors(make, arguments, options, error, message):
    with pytest.raises(error, match=message):
        make(*arguments, **options)


def test_butterfly_linear_errors():
    with pytest.raises(ValueError, match="init must be one of 'orthogonal'"):
        nn.ButterflyLinear(4, 4, init="zeros")
    with pytest.raises(TypeError, match="trainable must be True or False"):
        nn.ButterflyLinear(4, 4, trainable=None)
    with pytest.raises(TypeError, match="operator must be a Butterfly, got ndarray"):
        nn.ButterflyLinear.from_operator(np.eye(4))


def fit(**changes):
    arguments = {
        "net": nn.Dense(8, 2, rng=0),
        "X": BASE,
        "y": [0, 1, 1],
        "loss": nn.CrossEntropy(),
        "optimizer": nn.SGD(0.1),
        **changes,
    }
    net, X, y = (arguments.pop(name) for name in ("net", "X", "y"))
    return nn.fit(net, X, y, **arguments), net


@pytest.mark.parametrize("form", FORMS)
def test_fit_takes_any_real_array(form):
    x = FORMS[form]()
    before = np.array(x)
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    _, net = fit(X=x, rng=0)
    _, twin = fit(X=np.ascontiguousarray(before, np.float32), rng=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)
    np.testing.assert_array_equal(x, before)


def with_entry(value, dtype=np.float64):
    x = BASE.astype(dtype)
    x[1, 5] = value
    return x


FIT_ERRORS = {
    "nan": ({"X": with_entry(np.nan)}, ValueError, "X must be finite .* nan in row 1"),
    "inf": (
        {"X": with_entry(-np.inf)},
        ValueError,
        "X must be finite .* -inf in row 1",
    ),
    "overflow": ({"X": with_entry(1e300)}, ValueError, "X must be finite in float32"),
    "empty": ({"X": BASE[:0], "y": BASE[:0, 0]}, ValueError, "at least one sample"),
    "width": ({"X": BASE[:, :7]}, ValueError, r"X must have shape \(rows, 8\)"),
    "labels": ({"y": [0, 1]}, ValueError, r"shape \(3,\), got \(2,\)"),
    "label": ({"y": [0, 1, 2]}, ValueError, "y must hold labels from 0 to 1"),
    "targets": (
        {"y": with_entry(np.nan)[:, 4:6], "loss": nn.MSE()},
        ValueError,
        "y must be finite",
    ),
    "loss class": ({"loss": nn.MSE}, TypeError, r"loss must be a Loss such as nn\.MSE"),
    "optimizer class": ({"optimizer": nn.SGD}, TypeError, "optimizer must be"),
    "net": ({"net": nn.ReLU()}, TypeError, "net must be a layer with a size"),
    "epochs": ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
    "batch_size": ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    "batch_size float": ({"batch_size": 8.0}, TypeError, "batch_size must be an int"),
    "rng": ({"rng": "a"}, TypeError, "rng must be None"),
    "clip": ({"clip": 0}, ValueError, "clip must be positive, got 0"),
    "clip text": ({"clip": "norm"}, ValueError, "clip must be a number, .* 'norm'"),
    "validation": (
        {"validation": BASE},
        TypeError,
        r"a pair \(X, y\) or .* got ndarray",
    ),
    "validation X": (
        {"validation": (BASE[:, :7], [0, 1, 1])},
        ValueError,
        r"validation\[0\] must have shape",
    ),
    "callbacks": (
        {"callbacks": [1]},
        TypeError,
        "callbacks must hold callables, got 1",
    ),
    "progress": ({"progress": "bar"}, TypeError, "progress must be True or False"),
}


@pytest.mark.parametrize("case", FIT_ERRORS)
def test_fit_errors(case):
    changes, error, message = FIT_ERRORS[case]
    net = changes.get("net", nn.Dense(8, 2, rng=0))
    before = net.parameters.copy()
    with pytest.raises(error, match=message):
        fit(**{"net": net, **changes})
    np.testing.assert_array_equal(net.parameters, before)
