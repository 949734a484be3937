"""random_rotation: laws over size, dtype and layout, and how uniform it is."""

import pickle

import laws
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import fastbutterfly as fb
from fastbutterfly._jit.staging import register_lanes
from fastbutterfly._kernels.rotation import (
    rotate_back_columns,
    rotate_back_rows,
    rotate_columns,
    rotate_rows,
)
from fastbutterfly._plans.rotation import MAX_DENSE, HadamardRotation

GUARD = 64
PRIMES = [2, 3, 5, 7, 13, 31, 61, 97, 127, 131, 251, 257, 509, 521, 1009, 1021, 1031]
LARGE = [2039, 2053, 3001, 4093, 4099, 5003, 7919, 8191, 8209, 10007, 16381, 19997]
OTHERS = [1, 4, 6, 8, 15, 16, 24, 32, 33, 48, 63, 64, 65, 96, 100, 128, 129, 192, 255]
OTHERS += [256, 300, 384, 511, 512, 768, 1000, 1023, 1024, 1536, 1792, 2047, 2048]
OTHERS += [3072, 4096, 6144, 8192, 12288, 16384, 16385, 20000]
SIZES = sorted([*PRIMES, *LARGE, *OTHERS])
SOME = [1, 2, 3, 17, 128, 131, 255, 384]
if laws.INTERPRETED:
    SIZES, SOME = [1, 2, 5, 64, 127, 128, 129], [3, 129]


def definition(R, x):
    """Rounds of signs, Hadamard transforms and pairs, from the definition."""
    way, n = R._plan, R.shape[0]
    if n <= MAX_DENSE:
        return way.data @ x
    m = way.m
    H = scipy.linalg.hadamard(m) / np.sqrt(m)
    half, y = n // 2, x.copy()
    for step, signs in enumerate(way.data):
        if n == m or step % 2 == 0:
            y[:m] = H @ (signs[:, None] * y[:m])
        else:
            y[-m:] = H @ (signs[:, None] * y[-m:])
            low, high = y[:half].copy(), y[n - half :].copy()
            y[:half], y[n - half :] = (low + high) / 2**0.5, (low - high) / 2**0.5
    return y


GIVEN = [np.float32, np.complex64, np.int16, np.float64][
    :: 3 if laws.INTERPRETED else 1
]


def depth_of(n, rounds=3):
    """The size of a butterfly that is as deep as so many rounds."""
    return float(max(n, 2)) ** (3 * rounds)


def test_there_are_sixty_sizes():
    assert laws.INTERPRETED or len(SIZES) >= 60


@pytest.mark.parametrize("n", SIZES)
def test_is_orthogonal_in_single_precision(n, rng):
    R = fb.random_rotation(n, dtype=np.float32, rng=rng)
    x = laws.draw(rng, (6, n), np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = R.apply(x)
    assert y.dtype == np.float32
    for images in (y, R.T.apply(x)):
        products = images.astype(float) @ images.T.astype(float)
        assert abs(products - x.astype(float) @ x.T.astype(float)).max() <= 1e-6
    assert np.linalg.norm(R.T.apply(y) - x, axis=1).max() <= 2e-6
    if n <= 512:
        matrix = R.to_dense().astype(float)
        assert abs(matrix @ matrix.T - np.eye(n)).max() <= 1e-6
        np.testing.assert_allclose(np.linalg.slogdet(matrix), (1, 0), atol=1e-6 * n)


@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize("n", SOME)
def test_is_the_definition(n, dtype, rounds, rng):
    R = fb.random_rotation(n, rounds=rounds, dtype=dtype, rng=rng)
    matrix = definition(R, np.eye(n))
    deep = depth_of(n, rounds)
    laws.assert_close(R.to_dense(), matrix, deep)
    laws.assert_close(R.T.to_dense(), matrix.T, deep)
    x = laws.draw(rng, n, dtype)
    laws.assert_close(R @ x, matrix @ x, deep)
    laws.assert_close(x @ R, x @ matrix, deep)
    np.testing.assert_allclose(np.linalg.slogdet(matrix), (1, 0), atol=1e-9)
    assert R.slogdet() == (1, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("n", SOME)
def test_layouts_and_dtypes(n, given, order, axis, rng):
    R = fb.random_rotation(n, dtype=np.float32, rng=rng)
    shape = [2, 3, 33]
    shape[axis] = n
    x = (9 * laws.draw(rng, shape, np.complex128)).astype(
        given if given is np.complex64 else np.complex128
    )
    x = np.asarray(x if given is np.complex64 else x.real.astype(given), order=order)
    before, y = x.copy(), R.apply(x, axis=axis)
    matrix = definition(R, np.eye(n))
    expected = np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
    assert y.dtype == (np.float64 if given is np.int16 else np.result_type("f4", given))
    laws.assert_close(y, expected, depth_of(n))
    np.testing.assert_array_equal(x, before)
    for out in (np.empty_like(y, order="C"), np.empty_like(y, order="F")):
        assert R.apply(x, axis=axis, out=out) is out
        np.testing.assert_allclose(out, y, rtol=0, atol=1e-4 * abs(y).max())
    if x.dtype == y.dtype:
        assert R.apply(x, axis=axis, out=x) is x
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-4 * abs(y).max())


@pytest.mark.parametrize("n", [3, 128, 300])
def test_algebra(n, rng):
    R = fb.random_rotation(n, rng=7)
    x = laws.draw(rng, (n, 5), np.float64)
    for back in (R.T, R.H, R.inverse, R.inv()):
        laws.assert_close(back @ (R @ x), x, depth_of(n))
    laws.assert_close(R.solve(R @ x), x, depth_of(n))
    laws.assert_close((R @ R.T) @ x, x, depth_of(n))
    gx, none = R.vjp(x.T, x.T)
    laws.assert_close(gx, (R.T @ x).T, depth_of(n))
    assert none.size == 0
    assert R.T.T is R
    same = fb.random_rotation(n, rng=7)
    assert same == R
    assert hash(R) == hash(same)
    assert len({R, R.T, fb.random_rotation(n, rng=8)}) == 3
    assert fb.random_rotation(n, rng=7, dtype=np.float32) != R
    assert R != 1
    for kept in (R, R.T):
        again = pickle.loads(pickle.dumps(kept))
        assert again == kept
        np.testing.assert_array_equal(again @ x, kept @ x)
    assert repr(R.T) == f"Rotation(n={n}, dtype=float64, transposed)"


@pytest.mark.skipif(laws.INTERPRETED, reason="takes too long")
@pytest.mark.parametrize("n", [300, 512])
def test_workers_do_not_matter(n, rng, monkeypatch):
    monkeypatch.setattr("fastbutterfly._plans.rotation.MIN_PARALLEL_BYTES", 0)
    R = fb.random_rotation(n, dtype=np.float32, rng=rng)
    x = laws.draw(rng, (70, n), np.float32)
    one, three = (R.apply(x, workers=k) for k in (1, 3))
    np.testing.assert_array_equal(one, three)
    columns = x.T.copy()
    one, three = (R.apply(columns, axis=0, workers=k) for k in (1, 3))
    np.testing.assert_array_equal(one, three)


def test_nan_stays_in_its_sample(rng):
    for n in (5, 128, 300):
        R, x = fb.random_rotation(n, rng=rng), laws.draw(rng, (21, n), np.float64)
        x[3, 1] = np.nan
        for y in (R.apply(x), R.apply(x.T.copy(), axis=0).T):
            assert np.isnan(y[3]).all()
            assert np.isfinite(np.delete(y, 3, axis=0)).all()


def distance(n, rounds, rng, draws):
    """Kolmogorov-Smirnov distance to N(0, 1/n) of rotated basis vectors."""
    found = []
    for _ in range(draws):
        R = fb.random_rotation(n, rounds=rounds, rng=rng)
        x = np.eye(n)[rng.integers(0, n, 4)]
        found.append(R.apply(x).ravel() * np.sqrt(n))
    return scipy.stats.kstest(np.concatenate(found), "norm").statistic


@pytest.mark.skipif(laws.INTERPRETED, reason="takes too long")
@pytest.mark.parametrize("n", [255, 256, 257, 600, 1009])
def test_three_rounds_look_uniform_and_one_does_not(n, rng):
    draws = 40
    close = 3 / np.sqrt(4 * n * draws)  # a sample of so many numbers hardly exceeds it
    assert distance(n, 3, rng, draws) < close
    assert distance(n, 1, rng, draws) > close


def test_uniform_coordinates_below(rng):
    """The first coordinate of a uniform rotation of e_0 in three dimensions."""
    found = [fb.random_rotation(3, rng=rng).to_dense()[0, 0] for _ in range(2000)]
    assert scipy.stats.kstest(found, "uniform", (-1, 2)).pvalue > 1e-4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n must be at least 1"),
        ({"n": 2.5}, TypeError, "n must be an int"),
        ({"n": 5, "rounds": 0}, ValueError, "rounds must be at least 1"),
        (
            {"n": 5, "dtype": "complex64"},
            ValueError,
            "dtype must be float32 or float64",
        ),
        ({"n": 5, "rng": "seed"}, TypeError, "rng must be None"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        fb.random_rotation(**arguments)


def test_bad_input():
    R = fb.random_rotation(5, rng=0)
    with pytest.raises(ValueError, match="x must have 5 elements along axis 0"):
        R.apply(np.ones(4))
    with pytest.raises(ValueError, match="out must have shape"):
        R.apply(np.ones(5), out=np.ones(4))
    with pytest.raises(TypeError, match="workers must be an int"):
        R.apply(np.ones(5), workers=0.5)


def guarded(values, *, writeable=True):
    """A copy of a flat array, between two guards of NaN."""
    whole = np.full(len(values) + 2 * GUARD, np.nan, values.dtype)
    inner = whole[GUARD:-GUARD]
    inner[...] = values
    inner.flags.writeable = writeable
    return whole, inner


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize("n", [64, 65] if laws.INTERPRETED else [64, 65, 100, 127, 255])
def test_kernels_stay_within_their_arrays(n, dtype, columns, back, rng):
    u, m = register_lanes(dtype), 1 << (n.bit_length() - 1)
    way = HadamardRotation.draw(n, 2, rng)
    count = 3 * u + 1
    x = laws.draw(rng, (count, n), dtype)
    given = np.ascontiguousarray(x.T if columns else x).ravel()
    inputs = [
        guarded(a, writeable=False) for a in (given, *way._packed(np.dtype(dtype)))
    ]
    outputs = [guarded(np.zeros(size, dtype)) for size in (x.size, 2 * n * u)]
    arguments = [inner for _, inner in (*inputs, *outputs[: 1 + columns])]
    if columns:
        kernel = rotate_back_columns if back else rotate_columns
        kernel(*arguments, (n, m, count, 0, count))
    else:
        (rotate_back_rows if back else rotate_rows)(*arguments, n, m)
    for whole, _ in (*inputs, *outputs):
        assert np.isnan(whole[:GUARD]).all()
        assert np.isnan(whole[-GUARD:]).all()
    y = outputs[0][1].reshape((n, count) if columns else (count, n))
    y = y.T if columns else y
    expected = np.linalg.norm(x.astype(float), axis=1)
    np.testing.assert_allclose(np.linalg.norm(y, axis=1), expected, rtol=1e-5)


def test_gradients_of_other_shapes_are_refused():
    R = fb.random_rotation(200, rng=0)
    with pytest.raises(ValueError, match="200 elements along axis"):
        R.vjp(np.ones((2, 9)), np.ones((2, 200)))
    with pytest.raises(ValueError, match="g must have the shape of apply"):
        R.vjp(np.ones((2, 200)), np.ones((3, 200)))
