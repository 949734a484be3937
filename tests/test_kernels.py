"""Compiled vector accesses are not checked: here the arrays lie between guards."""

import laws
import numpy as np
import pytest

from fastbutterfly._kernels.forward import forward_down, forward_up
from fastbutterfly._kernels.gradient import SKEW, gradient_down, gradient_up
from fastbutterfly._plan import Plan
from fastbutterfly._simd import register_lanes

GUARD = 64
FORWARD = {"increasing": forward_up, "decreasing": forward_down}
GRADIENT = {"increasing": gradient_up, "decreasing": gradient_down}
SIZES = [n for n in laws.SIZES if n <= 1024]


def guarded(values, *, writeable=True):
    """A copy of a flat array, between two guards of NaN."""
    values = np.asarray(values)
    whole = np.full(len(values) + 2 * GUARD, np.nan, values.dtype)
    inner = whole[GUARD:-GUARD]
    inner[...] = values
    inner.flags.writeable = writeable
    return whole, inner


def assert_guards_intact(*wholes):
    for whole in wholes:
        assert np.isnan(whole[:GUARD]).all()
        assert np.isnan(whole[-GUARD:]).all()


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_forward_stays_within_its_arrays(n, dtype, order, rng):
    n = max(n, 4 * register_lanes(dtype))
    weights = laws.draw_weights(rng, n, dtype)
    x = rng.standard_normal((5, n)).astype(dtype)
    packed = Plan(n, stride=order).pack(weights.reshape(-1))
    arrays = [guarded(a, writeable=False) for a in (x.reshape(-1), packed)]
    outputs = [guarded(np.zeros(k * n, dtype)) for k in (5, 2)]
    kernel_arguments = [inner for _, inner in (*arrays, *outputs)]
    FORWARD[order](*kernel_arguments, n)
    assert_guards_intact(*(whole for whole, _ in (*arrays, *outputs)))
    y = outputs[0][1].reshape(5, n)
    laws.assert_close(y, laws.forward(weights, order, x), n)


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_gradient_stays_within_its_arrays(n, dtype, order, rng):
    n = max(n, 4 * register_lanes(dtype))
    weights = laws.draw_weights(rng, n, dtype)
    x, g = rng.standard_normal((2, 6, n)).astype(dtype)
    plan = Plan(n, stride=order)
    packed = plan.pack(weights.reshape(-1))
    inputs = [x.reshape(-1), g.reshape(-1), packed]
    inputs = [guarded(a, writeable=False) for a in inputs]
    steps = n.bit_length() // 2 + 1
    tile = 4 * n + SKEW * register_lanes(dtype)
    sizes = 6 * n, len(packed), tile * steps
    outputs = [guarded(np.zeros(size, dtype)) for size in sizes]
    kernel_arguments = [inner for _, inner in (*inputs, *outputs)]
    GRADIENT[order](*kernel_arguments, 4, n)
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    gx, gweights = plan.vjp(packed, x, g)
    np.testing.assert_array_equal(outputs[0][1], gx.reshape(-1))
    np.testing.assert_allclose(
        plan.unpack(outputs[1][1]), gweights, rtol=0, atol=1e3 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_unpack_inverts_pack(n, dtype, order, rng):
    plan = Plan(n, stride=order)
    weights = rng.standard_normal(plan.n_stored).astype(dtype)
    copies = max(1, 4 * register_lanes(dtype) // n)
    again = plan.unpack(plan.pack(weights))
    np.testing.assert_allclose(again, copies * weights, rtol=1e-6)
