"""Integers: C and Python agree to the bit, no sum overflows, the error is small."""

import re
import tracemalloc

import exports
import numpy as np
import pytest
from scipy.sparse import csr_array

from fastbutterfly import export, nn
from fastbutterfly.export import steps as real
from fastbutterfly.export.lowering import lower
from fastbutterfly.export.quantized import steps as integer
from fastbutterfly.export.quantized.quantize import requantize

BITS = {"int8": 8, "int16": 16}
LOW, HIGH = -(1 << 15), (1 << 15) - 1
BUILDS = [
    ("gcc", "-O2"),
    ("gcc", "-O1", *exports.SANITIZED),
    ("clang", "-O0", *exports.SANITIZED),
    ("clang", "-O2"),
]


@pytest.fixture(scope="module")
def nets():
    return exports.integer()


@pytest.fixture(scope="module")
def calibration(nets):
    """Random rows and digits."""
    rng = np.random.default_rng(0)
    return {name: exports.samples(net.n_in, rng, 200) for name, net in nets.items()}


@pytest.fixture(scope="module")
def models(nets, calibration):
    """Every network x dtype."""
    return {
        f"{name}_{dtype}": export.quantize(net, calibration[name], dtype=dtype)
        for name, net in nets.items()
        for dtype in BITS
    }


@pytest.fixture(scope="module")
def program(models, tmp_path_factory):
    """Every model, with inputs and outputs float and int16."""
    made = exports.Program(tmp_path_factory.mktemp("integers"))
    for name, model in models.items():
        made.add(f"{name}_f", model)
        made.add(f"{name}_i", model, floats=False)
    return made


def extremes(model, rng, count=300):
    """Samples of the largest integers, also with the signs of the first weights."""
    n = model.n_in
    signs = rng.random((count, n)) < rng.random((count, 1))
    rows = [np.full((1, n), LOW), np.full((1, n), HIGH), np.where(signs, LOW, HIGH)]
    first = model.steps[0] if model.steps else None
    if isinstance(first, real.Matrix):
        rows += [np.where(w > 0, HIGH, LOW)[np.newaxis] for w in first.weights]
        rows += [np.where(w > 0, LOW, HIGH)[np.newaxis] for w in first.weights]
    return np.concatenate(rows).astype(np.int16)


@pytest.fixture(scope="module")
def samples(models):
    """Random rows, digits, rows that saturate, and rows with NaN or infinities."""
    rows, rng = {}, np.random.default_rng(1)
    for name, model in models.items():
        x = exports.samples(model.n_in, rng)
        extreme = extremes(model, rng)
        uniform = rng.integers(LOW, HIGH, (300, model.n_in), endpoint=True)
        rows[f"{name}_i"] = np.concatenate(
            [integer.to_integers(x, model.input_scale), uniform, extreme]
        )
        x = np.concatenate([x, 30 * x[::9], extreme / model.input_scale])
        odd = x[:60].copy()
        for row, value in enumerate(10 * [np.nan, np.inf, -np.inf, 1e30, -1e-40, -0.0]):
            odd[row, rng.integers(model.n_in)] = value
        halves = (np.rint(10 * x[:50]) + 0.5) / model.input_scale
        rows[f"{name}_f"] = np.concatenate([x, odd, halves])
    return rows


@pytest.fixture(scope="module")
def expected(models, samples):
    """What Python computes."""
    outputs = {}
    with np.errstate(invalid="ignore"):
        for name, model in models.items():
            x, q = samples[f"{name}_f"], samples[f"{name}_i"]
            outputs[f"{name}_f"] = export.emulate(model, x)
            outputs[f"{name}_i"] = model.integers(q.astype(np.int16))
    return outputs


@pytest.mark.parametrize("build", BUILDS, ids="".join)
def test_c_and_python_agree_to_the_bit(program, samples, expected, build):
    exports.skip_without(*build)
    path, every = program.build(*build), 1 if build == BUILDS[0] else 5
    actual = program(path, {name: x[::every] for name, x in samples.items()})
    wrong = []
    for name, (scores, classes) in actual.items():
        want = expected[name][::every]
        best = want.argmax(axis=1) if want.shape[1] > 1 else want[:, 0] > 0
        if scores.tobytes() != want.tobytes() or not np.array_equal(classes, best):
            wrong.append(name)
    assert not wrong


def test_samples_beyond_single_precision_saturate(models):
    """Without a warning, which pytest would raise."""
    model = models["dense_int8"]
    x = np.full((2, model.n_in), 1e300) * [[1], [-1]]
    y = export.emulate(model, x)
    np.testing.assert_array_equal(y, export.emulate(model, np.sign(x) * np.inf))


def test_many_samples_take_little_memory(nets):
    x = np.ones((40_000, 64), np.float32)
    model = export.quantize(nets["square"], x[:9])
    tracemalloc.start()
    export.emulate(model, x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * x.nbytes


def test_samples_do_saturate(models, samples):
    """In most networks, some samples bring activations to the limits of int16."""
    saturated = []
    for name, model in models.items():
        x, ends = samples[f"{name}_i"], False
        for step in model.steps:
            x = step(x)
            ends |= np.isin(x, (LOW, HIGH)).any()
        saturated.append(ends)
    assert np.mean(saturated) > 0.9


def rows_of(step):
    """The weights of a step, one row for each output."""
    w = step.weights.astype(object)
    if isinstance(step, real.Blocks):
        w = w.transpose(0, 3, 1, 2)
    return w.reshape(-1, w.shape[-1])


def check_sums(model):
    """Raise if a sum could overflow its type for some sample, or weights theirs."""
    for step in model.steps:
        if isinstance(step, (real.Matrix, real.Blocks, real.Pairs)):
            largest = int(abs(rows_of(step)).sum(axis=1).max()) << 15
            assert largest + (1 << step.shift >> 1) < 1 << (63 if step.wide else 31)
            assert int(abs(rows_of(step)).max()) < 1 << model.bits - 1
        elif isinstance(step, real.Bias):
            assert np.all(np.abs(step.values) <= HIGH + 1)


def test_no_sum_can_overflow(models):
    for model in models.values():
        check_sums(model)


@pytest.mark.parametrize("dtype", BITS)
def test_no_sum_can_overflow_for_odd_weights(rng, dtype):
    """Weights and samples over many orders of magnitude, zeros, and equal signs."""
    for trial in range(60):
        n = int(rng.choice([1, 2, 3, 16, 1000]))
        net = nn.Sequential(
            nn.Dense(n, 16, rng=rng), nn.ButterflyLinear(16, 16, rng=rng), nn.ReLU()
        )
        spread = trial % 6
        factors = 10.0 ** rng.uniform(-spread, spread, net.parameters.size)
        net.parameters[...] *= factors
        if trial % 2:
            net.parameters[...] = np.abs(net.parameters)
        if trial % 5 == 0:
            net.parameters[rng.random(net.parameters.size) < 0.5] = 0
        x = rng.standard_normal((20, n)) * 10.0 ** rng.uniform(-spread, spread, n)
        x[:, rng.random(n) < 0.2] = 0
        model = export.quantize(net, x, dtype=dtype)
        check_sums(model)
        assert np.isfinite(export.emulate(model, 100 * x)).all()
        net.parameters[...] *= rng.uniform(0, 9, net.parameters.size)
        check_sums(requantize(model, net))


def test_no_sum_can_overflow_by_what_rounds_it():
    """Half of 2**shift is added: much, where a bias is larger than the products."""
    x, net = np.linspace(-1, 1, 20)[:, np.newaxis] * [1, 1], nn.Dense(2, 1)
    net.weights[...] = 1
    for net.bias[...] in np.geomspace(1e3, 1e6, 200):
        check_sums(export.quantize(net, x, dtype="int16"))


def test_no_floating_point_without_floats(program):
    real = re.compile(r"\b(float|double)\b|\d\.\d|\de[-+]?\d|math\.h|sqrt|erfc")
    for path in program.folder.glob("*_i.c"):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        assert not real.search(code), path.name
    assert real.search((program.folder / "dense_int8_f.c").read_text())


def unrounded(steps, x):
    """Integer steps in real arithmetic, and what all roundings can add up to."""
    error = np.zeros_like(x)
    for step in steps:
        if isinstance(step, real.Blocks | real.Matrix):
            plain = real.Blocks if isinstance(step, real.Blocks) else real.Matrix
            x = plain(step.weights / 2.0**step.shift)(x)
            error = plain(np.abs(step.weights) / 2.0**step.shift)(error) + 0.5
        elif isinstance(step, real.Pairs):
            where = step.first, step.stride, step.n_in
            w = step.weights / 2.0**step.shift
            x = real.Pairs(w, *where)(x)
            error = real.Pairs(np.abs(w), *where)(error)
            error[:, [*step.first, *(step.first + step.stride)]] += 0.5
        elif isinstance(step, integer.Scale):
            x, error = x * step.values / 2.0**15, error * step.values / 2.0**15 + 0.5
        elif isinstance(step, real.Bias):
            x = x + step.values
        elif isinstance(step, real.Activation):
            x = np.maximum(x, 0)
        else:
            x, error = step(x), step(error)
        assert np.all(np.abs(x) + error < HIGH)  # else it may saturate
    return x, error


def test_roundings_add_up_to_no_more_than_they_can(nets, models):
    """Half a unit a step, times the absolute weights of the following steps."""
    rng = np.random.default_rng(2)
    for name, model in models.items():
        x = exports.samples(model.n_in, rng, 200) / 4
        q = integer.to_integers(x, model.input_scale).astype(np.int16)
        y, error = unrounded(model.steps, q.astype(float))
        assert np.all(np.abs(model.integers(q) - y) <= error + 1e-6), name


def relative(y, z):
    return np.linalg.norm(y - z) / np.linalg.norm(z)


@pytest.fixture(scope="module")
def errors(nets, models, calibration):
    """Relative errors of outputs by network and dtype."""
    result = {}
    for name, net in nets.items():
        x = calibration[name]
        for dtype in BITS:
            y = export.emulate(models[f"{name}_{dtype}"], x)
            result[name, dtype] = relative(y, net(x))
    return result


def rounded_weights(step):
    """The largest relative error in norm that rounding a row of weights can make."""
    if not hasattr(step, "weights"):
        return 0
    rows = rows_of(step).astype(float)
    sizes = np.linalg.norm(rows, axis=1)
    return np.sqrt(rows.shape[1]) / 2 / sizes[sizes > 0].min()


def test_emulated_outputs_are_close(models, errors):
    """Rounding errors are half a unit; a unit of activations is 6 deviations / 32767.

    In steps that preserve norms the errors add up; not in "many_terms", which sums
    repeated pixels, and so their errors, with equal weights.
    """
    for (name, dtype), error in errors.items():
        if name == "many_terms":
            continue
        steps = models[f"{name}_{dtype}"].steps
        count = sum(not isinstance(step, real.Spread | real.Pick) for step in steps)
        weights = sum(rounded_weights(step) for step in steps)
        assert error <= (1 + count) * 6 / HIGH / 2 + weights, name


def test_int16_is_much_closer(errors):
    """By most of the 8 bits more; activations are int16 in both."""
    for name in {name for name, _ in errors} - {"nothing"}:
        assert 4 * errors[name, "int16"] < errors[name, "int8"], name


def one_scale_a_factor(net, x):
    """Outputs with each factor rounded to int8 alone, all else exact."""
    for step in lower(net, net.n_in):
        if isinstance(step, real.Matrix | real.Blocks):
            unit = np.abs(step.weights).max() / 127
            step = type(step)(np.rint(step.weights / unit) * unit)
        x = step(x)
    return x


@pytest.mark.parametrize(
    "name", ["square", "decreasing", "orthogonal", "truncated", "gadget", "encoder"]
)
def test_rows_with_scales_beat_factors_with_one(nets, errors, calibration, name):
    net, x = nets[name], calibration[name]
    naive = relative(one_scale_a_factor(net, x), net(x))
    assert errors[name, "int8"] < 0.5 * naive


def test_a_bias_that_is_larger_than_what_it_is_added_to(rng):
    """Also after a selection of outputs; the bias has to fit into int16 as well."""
    x = rng.standard_normal((200, 32))
    for size in 0, 1, 30:
        for net in nn.ButterflyLinear(32, 5, rng=0), nn.Dense(32, 5, rng=0):
            net.bias[...] = size * np.array([1, -1, 0, 0.5, -0.5])
            for dtype, limit in (("int8", 0.02), ("int16", 1e-3)):
                y = export.emulate(export.quantize(net, x, dtype=dtype), x)
                assert relative(y, net(x)) < limit


def test_opposite_bias_fits(rng):
    x = np.ones((9, 1)) + 0.01 * rng.standard_normal((9, 1))
    net = nn.Dense(1, 1)
    net.weights[...], net.bias[...] = -1, 2
    y = export.emulate(export.quantize(net, x, dtype="int16"), x)
    assert relative(y, net(x)) < 1e-3


def test_bad_input_is_refused(tmp_path):
    net, x = nn.Dense(3, 2), np.eye(3)
    model = export.quantize(net, x)
    bad = nn.Dense(3, 2)
    bad.weights[0, 0] = np.inf
    curved = nn.Sequential(nn.Dense(3, 3), nn.Tanh())
    for error, message, call in [
        (TypeError, "net must be a layer", lambda: export.quantize(3, x)),
        (ValueError, "dtype must be", lambda: export.quantize(net, x, dtype="int4")),
        (ValueError, "must have shape", lambda: export.quantize(net, x[0])),
        (ValueError, "must have shape", lambda: export.quantize(net, x[:, :2])),
        (ValueError, "at least one sample", lambda: export.quantize(net, x[:0])),
        (ValueError, "X must be finite", lambda: export.quantize(net, x + np.nan)),
        (ValueError, "X must be finite", lambda: export.quantize(net, x * 1e300)),
        (ValueError, "X must hold numbers", lambda: export.quantize(net, x * 1e-42)),
        (TypeError, "X must not be sparse", lambda: export.quantize(net, csr_array(x))),
        (ValueError, "has inf", lambda: export.quantize(bad, x)),
        (TypeError, "Tanh, which integers", lambda: export.quantize(curved, x)),
        (TypeError, "what quantize returns", lambda: export.emulate(net, x)),
        (ValueError, "X must have shape", lambda: export.emulate(model, x[0])),
        (ValueError, "int16, got float64", lambda: model.integers(x)),
        (ValueError, "int16, got int64", lambda: model.integers(x.astype(int))),
        (ValueError, "'int8', which net has", lambda: to_c(model, dtype="int16")),
        (ValueError, "'int8', which net has", lambda: to_c(model, dtype="float32")),
        (ValueError, "form must be 'loops'", lambda: to_c(model, form="vector")),
        (ValueError, "samples must be given", lambda: to_c(net, dtype="int8")),
        (ValueError, "finite", lambda: to_c(net, dtype="int8", samples=x + np.nan)),
        (ValueError, "samples must be finite", lambda: to_c(model, samples=x + np.nan)),
        (ValueError, "must have shape", lambda: to_c(model, samples=x[:, :2])),
        (TypeError, "floats must be", lambda: to_c(model, floats=1)),
        (ValueError, "floats=False takes 4", lambda: to_c(model, ram=9)),
        (ValueError, "no other form fits", lambda: to_c(model, ram=3)),
    ]:  # fmt: skip

        def to_c(net, **options):
            return export.to_c(net, tmp_path / "new", **options)

        with pytest.raises(error, match=message):
            call()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "layer", [nn.GELU(), nn.Sigmoid(), nn.LayerNorm(4), nn.Residual(nn.Dense(4, 4))]
)
def test_layers_without_integers_are_named(layer):
    net = nn.Sequential(nn.Dense(4, 4), layer)
    message = f"a layer {type(layer).__name__}, which integers"
    with pytest.raises(TypeError, match=message):
        export.quantize(net, np.eye(4))
    with pytest.raises(TypeError, match="a layer PointWise, which"):
        export.quantize(nn.PointWise(nn.Dense(4, 4), 2), np.eye(8))
