"""fwht: laws against SciPy's Hadamard matrix, over dtype, size, layout and option."""

import laws
import numpy as np
import pytest
import scipy.linalg

import fastbutterfly as fb
from fastbutterfly._jit.staging import register_lanes
from fastbutterfly._kernels.hadamard import (
    hadamard_columns,
    hadamard_rows,
    hadamard_small,
)

pytestmark = [pytest.mark.interpreted, pytest.mark.generic]

SIZES = [n for n in laws.SIZES if n <= 1024]
GUARD = 64
DIVISORS = {"backward": lambda n: 1, "ortho": np.sqrt, "forward": lambda n: n}
LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


def rows_of(order, n):
    """The matrix, from what names its order."""
    H = scipy.linalg.hadamard(n)
    if order == "sequency":
        return H[np.argsort((np.diff(H, axis=1) != 0).sum(axis=1))]
    if order == "dyadic":
        bits = n.bit_length() - 1
        return H[[int(f"{i:0{bits}b}"[::-1], 2) if bits else 0 for i in range(n)]]
    return H


def expected(x, order="natural"):
    H = rows_of(order, x.shape[-1]).astype(float)
    return np.asarray(x, np.result_type(x, float)) @ H.T


@pytest.mark.parametrize("batch", [0, 1, 3, 17])
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_is_the_matrix(n, dtype, batch, rng):
    x = laws.draw(rng, (batch, n), dtype)
    y = fb.fwht(x)
    assert y.dtype == dtype
    laws.assert_close(y, expected(x), n)
    if batch:
        laws.assert_close(fb.fwht(x[0]), expected(x[0]), n)


@pytest.mark.parametrize("norm", DIVISORS)
@pytest.mark.parametrize("order", ["natural", "sequency", "dyadic"])
@pytest.mark.parametrize("n", [n for n in SIZES if n <= 256])
def test_norms_and_orders(n, order, norm, rng):
    x = laws.draw(rng, (3, n), np.float64)
    y = fb.fwht(x, norm=norm, order=order)
    laws.assert_close(y, expected(x, order) / DIVISORS[norm](n), n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
@pytest.mark.parametrize("n", [2, 8, 32])
def test_layouts(n, dtype, axis, layout, rng):
    x = laws.draw(rng, (n, n), dtype)
    before = x.copy()
    given = LAYOUTS[layout](x)
    y = fb.fwht(given, axis=axis)
    laws.assert_close(y, np.moveaxis(expected(np.moveaxis(x, axis, -1)), -1, axis), n)
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("count", [1, 5, 33])
@pytest.mark.parametrize("n", [n for n in SIZES if n <= 512])
def test_axis_of_three(n, count, axis, rng):
    shape = [2, 3, count]
    shape[axis] = n
    x = laws.draw(rng, shape, np.float32)
    y = np.moveaxis(fb.fwht(x, axis=axis), axis, -1)
    laws.assert_close(y, expected(np.moveaxis(x, axis, -1)), n)


@pytest.mark.skipif(laws.INTERPRETED, reason="takes too long")
@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize("depth", [13, 16, 18, 20])
def test_large(depth, dtype, rng):
    """H of n = a * b is the Kronecker product of those of a and of b."""
    a, b = 1 << depth // 2, 1 << depth - depth // 2
    x = laws.draw(rng, (2, a * b), dtype)
    squares = x.reshape(2, a, b).astype(float)
    y = scipy.linalg.hadamard(a) @ squares @ scipy.linalg.hadamard(b)
    y = y.reshape(x.shape)
    laws.assert_close(fb.fwht(x), y, a * b)
    laws.assert_close(fb.fwht(x, norm="ortho"), y / np.sqrt(a * b), a * b)
    laws.assert_close(fb.fwht(x.T.copy(), axis=0).T, y, a * b)


@pytest.mark.parametrize("order", ["natural", "sequency"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("n", [4, 64])
def test_out(n, axis, order, rng):
    x = laws.draw(rng, (n, n), np.float32)
    y = fb.fwht(x, axis=axis, order=order)
    for out in (np.empty_like(x), np.empty_like(x, order="F"), x.copy()):
        given = x if not np.array_equal(out, x) else out
        assert fb.fwht(given, axis=axis, order=order, out=out) is out
        np.testing.assert_allclose(out, y, atol=1e-4)


@pytest.mark.parametrize("shape", [(17, 64), (64, 40), (3, 1 << 10), (600, 8)])
def test_workers_do_not_matter(shape, rng, monkeypatch):

    monkeypatch.setattr("fastbutterfly._plans.hadamard.MIN_PARALLEL_BYTES", 0)
    x = laws.draw(rng, shape, np.float32)
    for axis in [k for k in (0, 1) if not shape[k] & (shape[k] - 1)]:
        one, three = (fb.fwht(x, axis=axis, workers=k) for k in (1, 3))
        np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("n", SIZES[:10])
def test_nan_stays_in_its_sample(n, bad, rng):
    x = laws.draw(rng, (37, n), np.float32)
    x[3, n // 2] = bad
    for y in (fb.fwht(x), fb.fwht(x.T.copy(), axis=0).T):
        assert not np.isfinite(y[3]).any()
        assert np.isfinite(np.delete(y, 3, axis=0)).all()


def test_integers_and_lists():
    y = fb.fwht([1, 0, 1, 0])
    assert y.dtype == np.float64
    assert y.tolist() == [2, 2, 0, 0]
    assert fb.fwht(np.ones(4, ">f4")).tolist() == [4, 0, 0, 0]


def test_inverse(rng):
    x = laws.draw(rng, (5, 128), np.float64)
    laws.assert_close(fb.fwht(fb.fwht(x), norm="forward"), x, 128)
    for order in ("natural", "dyadic"):
        y = fb.fwht(fb.fwht(x, norm="ortho", order=order), norm="ortho", order=order)
        laws.assert_close(y, x, 128)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (np.ones(1000), {}, "power of two.*got 1000; pad it with zeros to 1024"),
        (np.ones((4, 0)), {}, "power of two.*got 0"),
        (np.float64(1), {}, "at least one dimension"),
        (np.ones(4), {"axis": 1}, "axis must lie in"),
        (np.ones(4), {"norm": "unitary"}, "norm must be one of 'backward', 'ortho'"),
        (np.ones(4), {"norm": ["ortho"]}, "norm must be one of"),
        (np.ones(4), {"order": "walsh"}, "order must be one of 'natural', 'seq"),
        (np.ones(4), {"out": np.ones(5)}, "out must have shape"),
        (np.ones(4), {"workers": 0}, "workers must be at least 1"),
    ],
)
def test_bad_input(x, options, message):
    fb.fwht(np.ones(4))
    with pytest.raises(ValueError, match=message):
        fb.fwht(x, **options)


def test_bad_types():
    with pytest.raises(TypeError, match="x must hold real or complex numbers"):
        fb.fwht(["a", "b"])
    with pytest.raises(TypeError, match="workers must be an int"):
        fb.fwht(np.ones(4), workers="two")


def guarded(values, *, writeable=True):
    """A copy of a flat array, between two guards of NaN."""
    whole = np.full(len(values) + 2 * GUARD, np.nan, values.dtype)
    inner = whole[GUARD:-GUARD]
    inner[...] = values
    inner.flags.writeable = writeable
    return whole, inner


def assert_intact(*wholes):
    for whole in wholes:
        assert np.isnan(whole[:GUARD]).all()
        assert np.isnan(whole[-GUARD:]).all()


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", [n for n in SIZES if 1 < n <= 2048])
def test_rows_stay_within_their_arrays(n, dtype, rng):
    u = register_lanes(dtype)
    batch = 5 if n >= 4 * u else max(1, 2 * u // n) * 3
    x = laws.draw(rng, (batch, n), dtype)
    factor = 1 + 1j if np.dtype(dtype).kind == "c" else 1
    inputs = [
        guarded(a, writeable=False) for a in (x.ravel(), np.full(u, factor, dtype))
    ]
    output = guarded(np.zeros(batch * n, dtype))
    arguments = [inner for _, inner in (*inputs, output)]
    if n < 4 * u:
        hadamard_small(*arguments, n)
    else:
        hadamard_rows(*arguments, n, 2)
    assert_intact(*(whole for whole, _ in (*inputs, output)))
    laws.assert_close(output[1].reshape(batch, n), expected(x), n)


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", [n for n in SIZES if 4 <= n <= 256])
def test_columns_stay_within_their_arrays(n, dtype, rng):
    u = register_lanes(dtype)
    count, planes = 3 * u + 1, 2
    x = laws.draw(rng, (planes, n, count), dtype)
    factor = 1 + 1j if np.dtype(dtype).kind == "c" else 1
    inputs = [
        guarded(a, writeable=False) for a in (x.ravel(), np.full(u, factor, dtype))
    ]
    outputs = [guarded(np.zeros(size, dtype)) for size in (x.size, 2 * n * u)]
    arguments = [inner for _, inner in (*inputs, *outputs)]
    hadamard_columns(*arguments, n, count, 0, count)
    assert_intact(*(whole for whole, _ in (*inputs, *outputs)))
    y = outputs[0][1].reshape(x.shape).swapaxes(1, 2)
    laws.assert_close(y, expected(x.swapaxes(1, 2)), n)
