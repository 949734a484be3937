"""Truncated butterflies and the FJLT: selected rows, counts, and distributions."""

import laws
import numpy as np
import pytest

import fastbutterfly as fb

pytestmark = pytest.mark.interpreted

SHAPES = [(1, 1), (1, 2), (3, 5), (4, 8), (10, 33), (8, 64), (64, 64), (60, 61)]
if not laws.INTERPRETED:
    SHAPES += [(10, 1000), (100, 1025)]


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize(("n_out", "n_in"), SHAPES)
def test_is_part_of_the_padded_butterfly(n_out, n_in, dtype, rng):
    J = fb.truncated(n_out, n_in, init="gaussian", dtype=dtype, rng=rng)
    n = 1 << (n_in - 1).bit_length()
    full = fb.Butterfly(J.weights).to_dense()
    kept = np.arange(n) if J.outputs is None else J.outputs
    assert np.all(np.diff(kept) > 0)
    expected = full[kept, :n_in].astype(np.result_type(dtype, float))
    assert J.shape == expected.shape == (n_out, n_in)
    laws.assert_close(J.to_dense(), expected, n)
    laws.assert_close(J.T.to_dense(), expected.T, n)
    x, g = laws.draw(rng, (3, n_in), dtype), laws.draw(rng, (3, n_out), dtype)
    padded_x, padded_g = np.zeros((3, n), dtype), np.zeros((3, n), dtype)
    padded_x[:, :n_in], padded_g[:, kept] = x, g
    gx, gweights = J.vjp(x, g)
    full_gx, full_gweights = fb.Butterfly(J.weights).vjp(padded_x, padded_g)
    np.testing.assert_allclose(gx, full_gx[:, :n_in], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gweights, full_gweights, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("n", [1, 2, 16, 64])
def test_effective_weights_by_brute_force(n, order, rng):
    """An effective weight is one that changes the matrix, all others random."""
    outputs = np.sort(rng.choice(n, max(1, n // 5), replace=False))
    inputs = rng.permutation(n)[: max(1, n // 3)]
    weights = laws.draw_weights(rng, n, float)
    J = fb.Butterfly(weights, stride=order, inputs=inputs, outputs=outputs)
    gradient = np.zeros(weights.shape)
    for row in np.eye(J.shape[0]):
        gradient += np.abs(J.vjp(rng.standard_normal(J.shape[1]), row)[1])
    assert J.n_weights == np.count_nonzero(gradient)
    assert J.n_stored == weights.size
    assert J.T.n_weights == J.n_weights


@pytest.mark.parametrize(
    ("n_out", "n_in"), [(6, 64), (10, 1024), (192, 1024), (9, 512)]
)
def test_bound_of_appendix_f(n_out, n_in):
    bound = fb.weights_bound(n_out, n_in)
    worst = sum(min(2 * n_in, 2 * n_out << t) for t in range(n_in.bit_length() - 1))
    for seed in range(20):
        assert fb.truncated(n_out, n_in, rng=seed).n_weights <= min(bound, worst)


def test_effective_weights_of_1024_to_20():
    counts = [fb.fjlt(20, 1024, rng=seed).n_weights for seed in range(300)]
    assert 9450 <= np.mean(counts) <= 9750
    assert max(counts) <= 10_712


def test_fjlt_is_scaled_orthogonal_rows():
    J = fb.fjlt(20, 256, rng=0)
    gram = J @ J.T.to_dense()
    np.testing.assert_allclose(gram, 256 / 20 * np.eye(20), atol=1e-12)


@pytest.mark.skipif(laws.INTERPRETED, reason="many products")
def test_fjlt_keeps_lengths_and_products_on_average(rng):
    x, y = rng.standard_normal((2, 1024))
    x, y = x / np.linalg.norm(x), y / np.linalg.norm(y)
    pairs = np.stack([x, y])
    images = [fb.fjlt(64, 1024, rng=seed).apply(pairs) for seed in range(500)]
    squares = [image[0] @ image[0] for image in images]
    assert abs(np.mean(squares) - 1) <= 0.05
    assert 0.14 <= np.std(squares) <= 0.20
    errors = [image[0] @ image[1] - x @ y for image in images]
    assert np.sqrt(np.mean(np.square(errors))) <= 1.3 / 8


@pytest.mark.parametrize("init", ["orthogonal", "gaussian", "fjlt", "identity"])
def test_expected_length_is_kept(init):
    x = np.random.default_rng(0).standard_normal(50)
    squares = [
        np.sum((fb.truncated(20, 50, init=init, rng=seed) @ x) ** 2)
        for seed in range(400)
    ]
    assert abs(np.mean(squares) / (x @ x) - 1) < 0.15


FEW = [(3, 64), (5, 100)]
if not laws.INTERPRETED:
    FEW += [(10, 1024), (60, 1000), (12, 4096)]


@pytest.mark.parametrize("side", ["J", "J.T"])
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize(("n_out", "n_in"), FEW)
def test_few_coordinates_are_those_of_the_full_one(n_out, n_in, dtype, side, rng):
    """Batches that take the short way, by the products of weights on paths."""
    J = fb.truncated(n_out, n_in, init="gaussian", dtype=dtype, rng=rng)
    J = J if side == "J" else J.T
    n, batch = 1 << J.depth, 19
    assert n_out > 12 or J.plan.pruned(np.dtype(dtype))
    inputs = np.arange(n) if J.inputs is None else J.inputs
    outputs = np.arange(n) if J.outputs is None else J.outputs
    x, g = (laws.draw(rng, (batch, size), dtype) for size in J.shape[::-1])
    all_x, all_g = np.zeros((2, batch, n), dtype)
    all_x[:, inputs], all_g[:, outputs] = x, g
    exact = [np.asarray(a, np.result_type(dtype, float)) for a in (all_x, all_g)]
    expected = laws.forward(J.weights, J.stride, exact[0])[:, outputs]
    laws.assert_close(J.apply(x), expected, n)
    out = np.empty((batch, n_out if side == "J" else n_in), dtype)
    assert J.apply(x, out=out) is out
    laws.assert_close(out, expected, n)
    gx, gweights = J.vjp(x, g)
    exact_gx, exact_gweights = fb.Butterfly(
        J.weights.astype(exact[0].dtype), stride=J.stride
    ).vjp(*exact)
    laws.assert_close(gx, exact_gx[:, inputs], n)
    laws.assert_close(gweights, exact_gweights, n)


@pytest.mark.skipif(laws.INTERPRETED, reason="many products")
@pytest.mark.parametrize("batch", [300, 301])
def test_workers_do_not_change_a_bit_of_few(batch, rng, monkeypatch):
    monkeypatch.setattr("fastbutterfly._base.threads.MIN_PARALLEL_WORK", 0)
    few = fb.truncated(6, 256, dtype=np.float32, rng=rng)
    for J in (few, few.T):
        x, g = (laws.draw(rng, (batch, k), np.float32) for k in J.shape[::-1])
        results = [(J.apply(x, workers=k), *J.vjp(x, g, workers=k)) for k in (1, 2, 5)]
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:invalid value")  # from NumPy, interpreted
def test_nan_stays_in_its_sample_of_few():
    J = fb.truncated(3, 64, dtype=np.float32, rng=0)
    x = np.ones((20, 64), np.float32)
    x[7, 5] = np.nan
    y = J.apply(x)
    assert np.isnan(y[7]).all()
    assert np.isfinite(np.delete(y, 7, axis=0)).all()
