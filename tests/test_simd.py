"""The vector type against NumPy, compiled or interpreted."""

import laws
import numpy as np
import pytest

from fastbutterfly._jit import jit
from fastbutterfly._simd import frozen, lanes, load, register_lanes, splat, store, swap


@jit
def combine(x, y, z):
    u = lanes(x)
    store(z, 0, load(x, 0) + load(y, u) * splat(y, 1))
    store(z, u, load(frozen(x), u) - load(y, 1))


@jit
def swap_one(x, z):
    store(z, 0, swap(load(x, 0), 1))


@jit
def swap_two(x, z):
    store(z, 0, swap(load(x, 0), 2))


@pytest.mark.parametrize("dtype", laws.DTYPES)
def test_arithmetic(dtype, rng):
    u = register_lanes(dtype)
    x, y = rng.standard_normal((2, 2 * u)).astype(dtype)
    z = np.zeros(2 * u, dtype)
    combine(x, y, z)
    expected = np.concatenate([x[:u] + y[u:] * y[1], x[u:] - y[1 : u + 1]])
    np.testing.assert_allclose(z, expected, atol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize(("kernel", "s"), [(swap_one, 1), (swap_two, 2)])
def test_swap(kernel, s, dtype):
    u = register_lanes(dtype)
    x, z = np.arange(u, dtype=dtype), np.zeros(u, dtype)
    kernel(x, z)
    if s < u:
        np.testing.assert_array_equal(z, np.arange(u) ^ s)


@pytest.mark.skipif(not laws.INTERPRETED, reason="compiled accesses are not checked")
@pytest.mark.parametrize("i", [-1, 1])
def test_interpreted_accesses_are_checked(i):
    x = np.zeros(register_lanes(np.float32), np.float32)
    with pytest.raises(IndexError, match="outside an array"):
        load(x, i)
    with pytest.raises(IndexError, match="outside an array"):
        store(x, i, x)
