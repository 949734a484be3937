"""Compiled vector accesses are not checked: here the arrays lie between guards."""

import laws
import numpy as np
import pytest

from fastbutterfly._jit.staging import register_lanes
from fastbutterfly._kernels.block_chain import (
    chain_columns,
    chain_gradient,
    chain_row_by_row,
    chain_rows,
)
from fastbutterfly._kernels.butterfly_forward import (
    columns_down,
    columns_up,
    rows_down,
    rows_up,
)
from fastbutterfly._kernels.butterfly_gradient import SKEW, gradient_down, gradient_up
from fastbutterfly._kernels.butterfly_small import (
    small_down,
    small_gradient_down,
    small_gradient_up,
    small_up,
)
from fastbutterfly._kernels.gather import take
from fastbutterfly._plans.binary import BinaryPlan
from fastbutterfly._plans.blocks import BlockPlan
from fastbutterfly._plans.pruned import PrunedPlan

pytestmark = [pytest.mark.interpreted, pytest.mark.generic]

GUARD = 64
FORWARD = {"increasing": (small_up, rows_up), "decreasing": (small_down, rows_down)}
COLUMNS = {"increasing": columns_up, "decreasing": columns_down}
GRADIENT = {
    "increasing": (small_gradient_up, gradient_up),
    "decreasing": (small_gradient_down, gradient_down),
}
SIZES = [n for n in laws.SIZES if 1 < n <= 2048]


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


def batch_of(n, dtype, samples):
    """At least so many samples, which fill pairs of registers."""
    unit = max(1, 2 * register_lanes(dtype) // n)
    return -(-samples // unit) * unit


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_forward_stays_within_its_arrays(n, dtype, order, rng):
    is_few = n < 4 * register_lanes(dtype)
    batch = batch_of(n, dtype, 4 if is_few else 5)
    weights = laws.draw_weights(rng, n, dtype)
    x = laws.draw(rng, (batch, n), dtype)
    engine = BinaryPlan(n, stride=order).rows(batch, np.dtype(dtype))
    packed = engine.pack(weights.reshape(-1))
    inputs = [guarded(a, writeable=False) for a in (x.reshape(-1), packed)]
    outputs = [guarded(np.zeros(k * n, dtype)) for k in (batch, 2)[: 2 - is_few]]
    FORWARD[order][not is_few](*(inner for _, inner in (*inputs, *outputs)), n)
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    y = outputs[0][1].reshape(batch, n)
    laws.assert_close(y, laws.forward(weights, order, x), n)


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", SIZES)
def test_gradient_stays_within_its_arrays(n, dtype, order, rng):
    is_few = n < 4 * register_lanes(dtype)
    batch = batch_of(n, dtype, 6)
    weights = laws.draw_weights(rng, n, dtype)
    x, g = laws.draw(rng, (2, batch, n), dtype)
    engine = BinaryPlan(n, stride=order).gradient(batch, np.dtype(dtype))
    packed = engine.pack(weights.reshape(-1))
    inputs = [x.reshape(-1), g.reshape(-1), packed]
    inputs = [guarded(a, writeable=False) for a in inputs]
    tiles = n.bit_length() // 2 + 1
    sizes = batch * n, len(packed), tiles * (4 * n + SKEW * register_lanes(dtype))
    outputs = [guarded(np.zeros(size, dtype)) for size in sizes[: 3 - is_few]]
    arguments = [inner for _, inner in (*inputs, *outputs)]
    levels = (n // register_lanes(dtype)).bit_length() - 1
    rest = n if is_few else (4, n, levels)
    GRADIENT[order][not is_few](*arguments, rest)
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    gx, gweights = engine.vjp(packed, x, g, 1)
    np.testing.assert_array_equal(outputs[0][1].reshape(batch, n), gx)
    np.testing.assert_allclose(
        engine._unpack(outputs[1][1]), gweights, rtol=0, atol=1e3 * np.finfo(dtype).eps
    )


@pytest.mark.parametrize("order", laws.STRIDES)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", [n for n in SIZES if 4 <= n <= 256])
def test_columns_stay_within_their_arrays(n, dtype, order, rng):
    u = register_lanes(dtype)
    count, planes = 3 * u + 1, 2
    weights = laws.draw_weights(rng, n, dtype)
    x = laws.draw(rng, (planes, n, count), dtype)
    engine = BinaryPlan(n, stride=order).columns(np.dtype(dtype))
    packed = engine.pack(weights.reshape(-1))
    inputs = [guarded(a, writeable=False) for a in (x.reshape(-1), packed)]
    outputs = [guarded(np.zeros(size, dtype)) for size in (x.size, 2 * n * u)]
    arguments = [inner for _, inner in (*inputs, *outputs)]
    COLUMNS[order](*arguments, (n, count, 0, count, count))
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    y = outputs[0][1].reshape(x.shape).swapaxes(1, 2).reshape(-1, n)
    expected = laws.forward(weights, order, x.swapaxes(1, 2).reshape(-1, n))
    laws.assert_close(y, expected, n)


@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("whole", [True, False])
def test_truncated_stays_within_its_arrays(dtype, increasing, whole, rng):
    u, n, batch = register_lanes(dtype), 128, 7
    # Coordinates that share a lane need registers of their own, or levels.
    kept = rng.permutation(n)[:3] if whole else np.arange(min(10, n // u)) * u
    pruned = PrunedPlan(n, increasing, kept, np.dtype(dtype))
    weights = laws.draw_weights(rng, n, dtype).reshape(-1)
    assert u > 8 or (pruned.levels == 0) == whole
    packed = pruned.pack(weights)
    slots = np.zeros((batch, pruned._compact.size), dtype)
    many, few = (
        laws.draw(rng, (batch, n), dtype),
        laws.draw(rng, (batch, len(kept)), dtype),
    )
    if not increasing:
        slots = pruned._compact.spread(few)
    inputs = (many if increasing else slots), packed.lower, packed.paths
    inputs = [guarded(a.reshape(-1), writeable=False) for a in inputs]
    outputs = (slots if increasing else np.zeros_like(many)), np.zeros(4 * n, dtype)
    outputs = [guarded(a.reshape(-1)) for a in outputs]
    arrays = [inner for _, inner in (*inputs, *outputs)]
    x, *weights_of, y, tile = arrays
    tile = tile if pruned.levels else None
    pruned._kernel(x, tuple(weights_of), y, tile, pruned._sizes(4))
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    full = np.zeros((batch, n), dtype)
    full[:, kept] = few
    stride = "increasing" if increasing else "decreasing"
    engine = BinaryPlan(n, stride=stride).rows(batch, np.dtype(dtype))
    y = engine.apply(engine.pack(weights), many if increasing else full, workers=1)
    found = outputs[0][1].reshape(batch, -1)
    found = pruned._compact.pick(found) if increasing else found
    y = y[:, kept] if increasing else y
    np.testing.assert_allclose(found, y, atol=1e3 * np.finfo(dtype).eps)


PATTERNS = [
    ((12, 4, 4, 1), (1, 12, 12, 4)),
    ((1, 9, 8, 5), (5, 9, 9, 1), (1, 64, 45, 1)),
    ((16, 3, 3, 1), (48, 1, 1, 1), (8, 2, 2, 3)),
    ((1, 17, 16, 1),),
]


def mixed(rng, pattern, dtype):
    """Plan and packed weights, ahead and of the adjoint."""
    plan = BlockPlan(pattern)
    weights = laws.draw(rng, plan.n_stored, dtype)
    return plan, plan.gradient(2, np.dtype(dtype)).pack(weights)


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_mixed_rows_stay_within_their_arrays(pattern, dtype, count, rng):
    u, (plan, (packed, _)) = register_lanes(dtype), mixed(rng, pattern, dtype)
    n_out, n_in = plan.sizes
    x = laws.draw(rng, (count * u + 1, n_in), dtype)
    expected = plan.rows(len(x), np.dtype(dtype)).apply(packed, x, workers=1)
    sizes = len(x) * n_out, 2 * plan.widest * count * u, 2 * plan.widest
    inputs = [guarded(a, writeable=False) for a in (x.reshape(-1), packed)]
    outputs = [guarded(np.zeros(size, dtype)) for size in sizes]
    (x, w), (y, tile, room) = ([inner for _, inner in a] for a in (inputs, outputs))
    chain_rows(x, w, y, tile, plan.table, (n_in, n_out, count))
    laws.assert_close(y.reshape(-1, n_out), expected, 64)
    y[...] = 0
    chain_row_by_row(x, w, y, room, plan.table, (n_in, n_out))
    laws.assert_close(y.reshape(-1, n_out), expected, 64)
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
@pytest.mark.parametrize("dtype", laws.DTYPES)
def test_mixed_columns_stay_within_their_arrays(pattern, dtype, rng):
    u, (plan, (packed, _)) = register_lanes(dtype), mixed(rng, pattern, dtype)
    (n_out, n_in), planes, columns = plan.sizes, 2, 3 * u + 1
    x = laws.draw(rng, (planes, n_in, columns), dtype)
    rows = np.ascontiguousarray(x.swapaxes(1, 2)).reshape(-1, n_in)
    inputs = [guarded(a, writeable=False) for a in (x.reshape(-1), packed)]
    sizes = planes * n_out * columns, 4 * plan.widest * u
    outputs = [guarded(np.zeros(size, dtype)) for size in sizes]
    arguments = [inner for _, inner in (*inputs, *outputs)]
    chain_columns(*arguments, plan.table, (n_in, n_out, columns, 0, columns, 2))
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    y = outputs[0][1].reshape(planes, n_out, columns).swapaxes(1, 2)
    expected = plan.rows(len(rows), np.dtype(dtype)).apply(packed, rows, workers=1)
    laws.assert_close(y.reshape(-1, n_out), expected, 64)


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
@pytest.mark.parametrize("dtype", laws.DTYPES)
def test_mixed_gradient_stays_within_its_arrays(pattern, dtype, rng):
    u, (plan, both) = register_lanes(dtype), mixed(rng, pattern, dtype)
    (n_out, n_in), count, largest = plan.sizes, 2, plan.widest
    x, g = (laws.draw(rng, (2 * count * u, n), dtype) for n in (n_in, n_out))
    engine = plan.gradient(len(x), np.dtype(dtype))
    gx, gweights = engine.vjp(both, x, g, workers=1)
    inputs = [a.reshape(-1) for a in (x, g, *both)]
    inputs = [guarded(a, writeable=False) for a in inputs]
    sizes = x.size, len(both[0]), (plan.depth + 2) * largest * count * u
    outputs = [guarded(np.zeros(size, dtype)) for size in sizes]
    arguments = [inner for _, inner in (*inputs, *outputs)]
    flat_x, flat_g, w, adjoint, *outs = arguments
    tables, sizes = (plan.table, plan.T.table), (n_in, n_out, largest, count)
    chain_gradient(flat_x, flat_g, (w, adjoint), *outs, tables, sizes)
    assert_guards_intact(*(whole for whole, _ in (*inputs, *outputs)))
    laws.assert_close(outputs[0][1].reshape(x.shape), gx, 64)
    assert np.isfinite(gweights).all()


@pytest.mark.parametrize("dtype", laws.DTYPES)
def test_take_stays_within_its_arrays(dtype, rng):
    x, index = laws.draw(rng, (3, 5), dtype), np.array([4, -1, 0, 2])
    inputs = [guarded(x.reshape(-1), writeable=False)]
    outputs = [guarded(np.ones(12, dtype))]
    index.flags.writeable = False
    take(inputs[0][1], index, outputs[0][1], 5)
    assert_guards_intact(inputs[0][0], outputs[0][0])
    expected = x[:, index] * (index >= 0)
    np.testing.assert_array_equal(outputs[0][1].reshape(3, 4), expected)
