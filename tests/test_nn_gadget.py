"""ButterflyDense: counts of the paper's Section 4.2, exactness, scale."""

import numpy as np
import pytest

import fastbutterfly as fb
from fastbutterfly import nn

# Mean effective weights over random truncations, biases excluded.
COUNTS = [
    (320, 10, 8, 3, 2_270),
    (512, 10, 9, 3, 3_690),
    (2048, 100, 11, 6, 16_670),
    (2048, 1000, 11, 9, 23_430),
    (512, 512, 9, 9, 7_600),
    (784, 256, 9, 8, 7_450),
    (64, 64, 6, 6, 820),
]


@pytest.mark.parametrize(("n_in", "n_out", "k_in", "k_out", "expected"), COUNTS)
def test_number_of_weights(rng, n_in, n_out, k_in, k_out, expected):
    options = {"k_in": k_in, "k_out": k_out, "bias": False, "rng": rng}
    layers = [nn.ButterflyDense(n_in, n_out, **options) for _ in range(5)]
    mean = np.mean([layer.n_weights for layer in layers])
    assert abs(mean / expected - 1) < 0.15


def test_is_28_times_smaller_than_dense(rng):
    layers = [nn.ButterflyDense(512, 512, bias=False, rng=rng) for _ in range(5)]
    assert 512**2 / max(layer.n_weights for layer in layers) > 28


def test_default_core_is_log2():
    for n, k in ((1, 1), (2, 1), (3, 2), (512, 9), (513, 10), (1024, 10)):
        core = nn.ButterflyDense(n, 7, rng=0).layers[1]
        assert (core.n_in, core.n_out) == (k, 3)


def test_is_the_product_of_its_factors(rng):
    layer = nn.ButterflyDense(40, 25, k_in=6, k_out=5, rng=rng, dtype=np.float64)
    first, core, last = layer.layers
    last.bias[...] = rng.standard_normal(25)
    J1, J2T = first.operator.to_dense(), last.operator.to_dense()
    x = rng.standard_normal((7, 40))
    expected = x @ (J2T @ core.weights.T @ J1).T + last.bias
    np.testing.assert_allclose(layer(x), expected, rtol=1e-12, atol=1e-12)
    assert np.linalg.matrix_rank(layer(np.eye(40)) - last.bias) == 5


@pytest.mark.parametrize("sizes", [(1024, 1024), (784, 256), (100, 300)])
def test_starts_at_the_scale_of_dense(rng, sizes):
    x = rng.standard_normal((50, sizes[0]))
    squares = [np.mean(nn.ButterflyDense(*sizes, rng=rng)(x) ** 2) for _ in range(20)]
    assert abs(3 * np.mean(squares) - 1) < 0.2


@pytest.mark.parametrize("sizes", [(64, 64), (128, 16), (8, 32), (1, 1)])
def test_from_dense_is_exact_at_full_size(rng, sizes):
    W, bias = rng.standard_normal(sizes), rng.standard_normal(sizes[1])
    layer = nn.ButterflyDense.from_dense(
        W, bias=bias, k_in=sizes[0], k_out=sizes[1], rng=rng
    )
    x = rng.standard_normal((10, sizes[0]))
    error = np.linalg.norm(layer(x) - x @ W - bias) / np.linalg.norm(x @ W)
    assert error < 1e-10


def test_from_dense_is_the_paper_s_formula(rng):
    W = rng.standard_normal((48, 33))
    layer = nn.ButterflyDense.from_dense(W, k_in=12, k_out=7, rng=3)
    generator = np.random.default_rng(3)
    J1 = fb.fjlt(12, 48, rng=generator).to_dense()
    J2 = fb.fjlt(7, 33, rng=generator).to_dense()
    expected = J2.T @ (J2 @ W.T @ J1.T) @ J1
    np.testing.assert_allclose(layer(np.eye(48)).T, expected, atol=1e-12)


def test_from_dense_is_right_on_average(rng):
    W = rng.standard_normal((64, 32)) / 8
    u, v = rng.standard_normal(64) / 8, rng.standard_normal(32) / 32**0.5
    values = [
        (nn.ButterflyDense.from_dense(W, k_in=32, k_out=16, rng=rng)(u[None]) @ v)[0]
        for _ in range(200)
    ]
    deviation = np.std(values) / 200**0.5
    assert abs(np.mean(values) - u @ W @ v) < 4 * deviation
    assert deviation < 0.05


def test_from_dense_takes_a_trained_layer():
    dense = nn.Dense(16, 16, rng=0)
    layer = nn.ButterflyDense.from_dense(
        dense.weights, bias=dense.bias, k_in=16, k_out=16, rng=1
    )
    assert layer.dtype == np.float32
    np.testing.assert_allclose(layer(np.eye(16)), dense(np.eye(16)), atol=1e-6)


def test_errors():
    with pytest.raises(ValueError, match=r"k_in must be at most 8, .* got 9"):
        nn.ButterflyDense(8, 8, k_in=9)
    with pytest.raises(ValueError, match="k_out must be at least 1, got 0"):
        nn.ButterflyDense(8, 8, k_out=0)
    with pytest.raises(ValueError, match=r"W must have shape .* got \(3,\)"):
        nn.ButterflyDense.from_dense([1, 2, 3])
    with pytest.raises(ValueError, match=r"bias must have shape \(2,\), got \(3,\)"):
        nn.ButterflyDense.from_dense(np.ones((4, 2)), bias=np.ones(3))
