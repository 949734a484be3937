"""Butterfly: laws over dtype, size, batch, order of strides and layout."""

import pickle

import laws
import numpy as np
import pytest
import scipy.linalg

import fastbutterfly as fb

pytestmark = pytest.mark.interpreted

CASES = pytest.mark.parametrize(
    ("n", "dtype", "order"),
    [(n, d, o) for n in laws.SIZES for d in laws.DTYPES for o in laws.STRIDES],
)
SMALL = [n for n in laws.SIZES if n <= 64]


def draw(rng, n, dtype=np.float64, order="increasing"):
    return fb.Butterfly(laws.draw_weights(rng, n, dtype), stride=order)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("batch", laws.BATCHES)
@CASES
def test_apply_is_the_definition(n, dtype, order, batch, rng):
    B = draw(rng, n, dtype, order)
    x = laws.draw(rng, (batch, n), dtype)
    y = B.apply(x)
    assert y.dtype == dtype
    laws.assert_close(y, laws.forward(B.weights, order, x), n)


@CASES
def test_one_vector(n, dtype, order, rng):
    B = draw(rng, n, dtype, order)
    x = laws.draw(rng, n, dtype)
    laws.assert_close(B @ x, laws.forward(B.weights, order, x[None])[0], n)


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("n", SMALL)
def test_definition_entry_by_entry(n, dtype, order, rng):
    B = draw(rng, n, dtype, order)
    matrix = laws.dense(B.weights, order)
    laws.assert_close(B.to_dense(), matrix, n)
    laws.assert_close(B.T.to_dense(), matrix.T, n)
    laws.assert_close(B.H.to_dense(), matrix.conj().T, n)
    x, left = rng.standard_normal((n, 3)), rng.standard_normal((3, n))
    laws.assert_close(B @ x, matrix @ x, n)
    laws.assert_close(left @ B, left @ matrix, n)
    laws.assert_close(left[0] @ B, left[0] @ matrix, n)
    product = np.eye(n)
    for factor in B.factors():
        assert factor.nnz <= 2 * n
        product = product @ factor.toarray()
    laws.assert_close(product, matrix, n)
    assert len(B.factors()) == max(1, B.depth)


@CASES
def test_adjoint(n, dtype, order, rng):
    B = draw(rng, n, dtype, order)
    x, y = laws.draw(rng, (2, n), dtype)
    left, right = np.vdot(B @ x, y), np.vdot(x, B.H @ y)
    scale = np.linalg.norm(B @ x) * np.linalg.norm(y)
    assert abs(left - right) <= 2 * laws.tolerance(dtype, n) * scale
    assert B.T.T == B
    assert B.T.stride != B.stride


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", [2, 16, 64])
def test_layouts(n, dtype, layout, rng):
    B = draw(rng, n, dtype)
    x, g = (LAYOUTS[layout](laws.draw(rng, (7, n), dtype)) for _ in "xg")
    before = x.copy(), g.copy()
    expected = laws.forward(B.weights, "increasing", x)
    laws.assert_close(B.apply(x), expected, n)
    laws.assert_close(B.apply(x.T, axis=0), expected.T, n)
    laws.assert_close(B @ x.T, expected.T, n)
    laws.assert_close(B @ x[3], expected[3], n)
    for actual, plain in zip(B.vjp(x, g), B.vjp(*before), strict=True):
        np.testing.assert_array_equal(actual, plain)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(g, before[1])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes(axis, rng):
    B = fb.truncated(5, 8, rng=rng)
    shape = [3, 4, 6]
    shape[axis] = 8
    x = rng.standard_normal(shape)
    moved = np.moveaxis(x, axis, -1) @ B.to_dense().T
    y = B.apply(x, axis=axis)
    laws.assert_close(y, np.moveaxis(moved, -1, axis), 8)
    gx, gweights = B.vjp(x, y, axis=axis)
    rows = [np.moveaxis(a, axis, -1) for a in (x, y)]
    plain = B.vjp(*rows)
    np.testing.assert_array_equal(np.moveaxis(gx, axis, -1), plain[0])
    np.testing.assert_array_equal(gweights, plain[1])


def test_out(rng):
    B = draw(rng, 64, np.float32)
    x = rng.standard_normal((9, 64)).astype(np.float32)
    expected = B.apply(x)
    out = np.empty((64, 9), np.float32).T
    assert B.apply(x, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert B.apply(x, out=x) is x
    np.testing.assert_array_equal(x, expected)
    overlapping = np.zeros((10, 64), np.float32)
    overlapping[1:] = x
    expected = B.apply(x)
    B.apply(overlapping[1:], out=overlapping[:-1])
    np.testing.assert_array_equal(overlapping[:-1], expected)


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("shape", [(5, 1), (5, 17), (1, 3, 40), (6, 130), (0, 9)])
@pytest.mark.parametrize("n", [n for n in laws.SIZES if 2 <= n <= 512])
def test_columns(n, shape, dtype, order, rng):
    """Any axis, C and Fortran order, truncated on either side."""
    B = draw(rng, n, dtype, order)
    kept = rng.permutation(n)[: max(1, n // 3)]
    J = fb.Butterfly(B.weights, stride=order, inputs=kept, outputs=kept[::-1])
    x = laws.draw(rng, (*shape[:-1], n, shape[-1]), dtype)
    expected = laws.forward(B.weights, order, x.swapaxes(-1, -2).reshape(-1, n))
    expected = expected.reshape(*shape, n).swapaxes(-1, -2)
    laws.assert_close(B.apply(x, axis=-2), expected, n)
    laws.assert_close(B.apply(x.T, axis=1).T, expected, n)
    part = np.ascontiguousarray(x[..., kept, :])
    full = np.zeros_like(x)
    full[..., kept, :] = part
    expected = B.apply(full, axis=-2)[..., kept[::-1], :]
    np.testing.assert_array_equal(J.apply(part, axis=-2), expected)
    for like in (np.empty_like, np.asfortranarray):
        out = like(expected)
        assert J.apply(part, axis=-2, out=out) is out
        np.testing.assert_array_equal(out, expected)
    out = np.empty_like(x)
    assert B.apply(full, axis=-2, out=out) is out
    np.testing.assert_array_equal(out, B.apply(full, axis=-2))
    assert B.apply(full, axis=-2, out=full) is full
    np.testing.assert_array_equal(out, full)


def test_products_of_columns_are_in_c_order(rng):
    B = draw(rng, 64, np.float32)
    x = laws.draw(rng, (64, 100), np.float32)
    y = B @ x
    assert y.flags.c_contiguous
    for i in (0, 50, 99):
        laws.assert_close(y[:, i], B.to_dense() @ x[:, i].astype(float), 64)


def test_real_and_complex_mix(rng):
    B, x = draw(rng, 16), laws.draw(rng, (3, 16), complex)
    C, g = draw(rng, 16, complex), laws.draw(rng, (3, 16), complex)
    laws.assert_close(B.apply(x), B.apply(x.real) + 1j * B.apply(x.imag), 16)
    laws.assert_close(C.apply(x.real), C.apply(x.real + 0j), 16)
    gx, gweights = B.vjp(x.real, g)
    assert gx.dtype == gweights.dtype == np.float64
    whole = fb.Butterfly(B.weights + 0j).vjp(x.real + 0j, g)
    laws.assert_close(gx, whole[0].real, 16)
    laws.assert_close(gweights, whole[1].real, 16)
    assert B.H.weights.dtype == np.float64


@CASES
def test_gradient_laws(n, dtype, order, rng):
    """Re<gx, u> = Re<g, B u>, Re<gW_l, V> = Re<g, y with layer l's blocks V>."""
    B = draw(rng, n, dtype, order)
    x, g, u = laws.draw(rng, (3, 5, n), dtype)
    gx, gweights = B.vjp(x, g)
    assert gx.dtype == gweights.dtype == dtype
    assert gweights.shape == B.weights.shape
    pairs = [(np.vdot(gx, u), laws.forward(B.weights, order, u))]
    V = laws.draw(rng, B.weights.shape, dtype)
    for level in range(B.depth):
        weights = [V[k] if k == level else B.weights[k] for k in range(B.depth)]
        pairs.append(
            (np.vdot(gweights[level], V[level]), laws.forward(weights, order, x))
        )
    for left, image in pairs:
        scale = np.linalg.norm(g) * np.linalg.norm(image)
        assert (
            abs((left - np.vdot(g, image)).real) <= 2 * laws.tolerance(dtype, n) * scale
        )


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("n", SMALL)
def test_gradient_is_finite_difference(n, order, rng):
    B = draw(rng, n, order=order)
    x, g, dx = rng.standard_normal((3, 4, n))
    dw = rng.standard_normal(B.weights.shape)
    gx, gweights = B.vjp(x, g)
    step = np.finfo(float).eps ** (1 / 3)

    def loss(t):
        moved = fb.Butterfly(B.weights + t * dw, stride=order)
        return np.vdot(g, moved.apply(x + t * dx))

    slope = (loss(step) - loss(-step)) / (2 * step)
    assert np.isclose(slope, np.vdot(gx, dx) + np.vdot(gweights, dw), rtol=1e-6)


@pytest.mark.parametrize("batch", [300, 301])
@pytest.mark.parametrize("n", [8, 256] if not laws.INTERPRETED else [8])
def test_workers_do_not_change_a_bit(n, batch, rng, monkeypatch):
    monkeypatch.setattr("fastbutterfly._base.threads.MIN_PARALLEL_WORK", 0)
    B = draw(rng, n, np.float32)
    x, g = rng.standard_normal((2, batch, n)).astype(np.float32)
    results = [(B.apply(x, workers=k), *B.vjp(x, g, workers=k)) for k in (1, 2, 5)]
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    laws.assert_close(results[0][0], laws.forward(B.weights, "increasing", x), n)
    pieces = [slice(i, i + 10) for i in range(0, batch, 10)]
    pieces = [B.vjp(x[piece], g[piece]) for piece in pieces]
    laws.assert_close(results[0][1], np.concatenate([gx for gx, _ in pieces]), n)
    laws.assert_close(results[0][2], np.sum([gw for _, gw in pieces], 0, float), n)


@pytest.mark.parametrize("n", SMALL)
def test_hadamard(n):
    expected = scipy.linalg.hadamard(n) / np.sqrt(n)
    laws.assert_close(fb.hadamard(n).to_dense(), expected, n)
    np.testing.assert_array_equal(fb.identity(n).to_dense(), np.eye(n))


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("init", ["orthogonal", "fjlt", "identity"])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize("n", SMALL)
def test_orthogonal_initialisations(n, dtype, init, order):
    options = {"init": init, "stride": order, "dtype": dtype, "rng": 1}
    A = fb.Butterfly.random(n, **options).to_dense()
    laws.assert_close(A @ A.conj().T, np.eye(n), n)


def test_initial_distributions():
    weights = fb.Butterfly.random(1024, init="gaussian", rng=0).weights
    assert abs(np.var(weights) - 0.5) < 0.02
    options = {"init": "gaussian", "dtype": complex, "rng": 0}
    weights = fb.Butterfly.random(1024, **options).weights
    assert abs(np.mean(np.abs(weights) ** 2) - 0.5) < 0.02
    assert abs(np.mean(weights**2)) < 0.02
    blocks = fb.Butterfly.random(1024, rng=0).weights.reshape(-1, 2, 2)
    determinants = np.linalg.det(blocks)
    np.testing.assert_allclose(np.abs(determinants), 1)
    assert abs(determinants.mean()) < 0.1  # as many rotations as reflections
    angles = np.arctan2(blocks[:, 1, 0], blocks[:, 0, 0])
    assert np.histogram(angles, 8, (-np.pi, np.pi))[0].min() > len(angles) / 8 * 0.8
    signs = np.sign(fb.Butterfly.random(1024, init="fjlt", rng=0).weights[0, :, 0])
    assert abs(signs.mean()) < 0.15
    same = [fb.Butterfly.random(64, rng=5) for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != fb.Butterfly.random(64, rng=6)


def test_value(rng):
    B = fb.truncated(10, 100, dtype=np.float32, rng=rng)
    again = pickle.loads(pickle.dumps(B))
    assert again == B
    assert hash(again) == hash(B)
    assert fb.Butterfly(B.weights) != B
    assert B != "B"
    assert repr(B) == (
        "Butterfly(shape=(10, 100), dtype=float32, stride='increasing', "
        f"n_weights={B.n_weights})"
    )
    assert B.pattern == tuple((64 >> k, 2, 2, 1 << k) for k in range(7))
    assert [block.shape for block in B.blocks] == [(64, 2, 2)] * 7
    assert all(np.shares_memory(block, B.weights) for block in B.blocks)
    with pytest.raises(ValueError, match="read-only"):
        B.weights[0] = 0
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        B.weights.setflags(write=True)
    with pytest.raises(AttributeError):
        B.weights = B.weights
    source = np.array(B.weights)
    C = fb.Butterfly(source)
    source[...] = 0
    np.testing.assert_array_equal(C.weights, B.weights)


@pytest.mark.filterwarnings("ignore:invalid value")  # from NumPy, interpreted
def test_nan_and_inf_stay_in_their_sample():
    for n in SMALL:
        B = fb.Butterfly.random(n, dtype=np.float32, rng=0)
        x = np.ones((9, n), np.float32)
        x[4, 0] = np.nan
        y = B.apply(x)
        assert np.isnan(y[4]).all()
        assert np.isfinite(np.delete(y, 4, axis=0)).all()
    x = np.ones(8)
    x[0] = np.inf
    y = fb.hadamard(8) @ x
    expected = np.inf * np.sign(fb.hadamard(8).to_dense()[:, 0])
    np.testing.assert_array_equal(y, expected)


def test_threads_after_the_pool_has_gone(rng, monkeypatch):
    def gone(size):
        raise RuntimeError("cannot schedule new futures after shutdown")

    B = draw(rng, 64)
    x = rng.standard_normal((40, 64))
    expected = B.apply(x)
    monkeypatch.setattr("fastbutterfly._base.threads.MIN_PARALLEL_WORK", 0)
    monkeypatch.setattr("fastbutterfly._base.threads._executor", gone)
    np.testing.assert_array_equal(B.apply(x, workers=3), expected)
