"""Staged arithmetic on registers against NumPy, compiled or interpreted."""

import laws
import numpy as np
import pytest

from fastbutterfly._jit.options import jit
from fastbutterfly._jit.staging import (
    lanes,
    read_only,
    register_lanes,
    registers_per_weight,
    staged,
    swap,
)

pytestmark = [pytest.mark.interpreted, pytest.mark.generic]


@staged
def combined(x, i, ys, z):
    y, j = ys
    z.store(i, x.load(i) + y.load(j + 1) * y.load(2 * j) - y.splat(j))


@jit
def combine(x, y, z):
    combined(x, 0, (read_only(y), 1), z)


def staged_swap(s):
    @staged
    def swapped(x, z):
        z.store(0, swap(x.load(0), s))

    return swapped


swapped_1, swapped_2 = staged_swap(1), staged_swap(2)


@jit
def swap_one(x, z):
    swapped_1(x, z)


@jit
def swap_two(x, z):
    swapped_2(x, z)


@jit
def sizes(x, z):
    z[0], z[1] = lanes(x), registers_per_weight(x)


@pytest.mark.parametrize("dtype", laws.REAL)
def test_arithmetic(dtype, rng):
    u = register_lanes(dtype)
    x, y = rng.standard_normal((2, 2 * u)).astype(dtype)
    z = np.zeros(2 * u, dtype)
    combine(x, y, z)
    expected = x[:u] + y[2 : u + 2] * y[2 : u + 2] - y[1]
    np.testing.assert_allclose(z[:u], expected, atol=8 * np.finfo(dtype).eps)
    assert not z[u:].any()


@pytest.mark.parametrize("dtype", laws.REAL)
@pytest.mark.parametrize(("kernel", "s"), [(swap_one, 1), (swap_two, 2)])
def test_swap(kernel, s, dtype):
    u = register_lanes(dtype)
    x, z = np.arange(u, dtype=dtype), np.zeros(u, dtype)
    if s < u:
        kernel(x, z)
        np.testing.assert_array_equal(z, np.arange(u) ^ s)


def test_swap_of_places_turns_real_into_imaginary(rng):
    x = laws.draw(rng, register_lanes(np.complex64), np.complex64)
    z = np.zeros_like(x)
    swap_one(x, z)
    np.testing.assert_array_equal(z, x.imag + 1j * x.real)


@pytest.mark.parametrize("dtype", laws.DTYPES)
def test_sizes(dtype):
    z = np.zeros(2, int)
    sizes(np.zeros(1, dtype), z)
    assert z.tolist() == [register_lanes(dtype), 1 + (np.dtype(dtype).kind == "c")]


@pytest.mark.skipif(not laws.INTERPRETED, reason="compiled accesses are not checked")
@pytest.mark.parametrize("i", [-1, 1])
def test_interpreted_accesses_are_checked(i):
    x = np.zeros(2 * register_lanes(np.float32), np.float32)
    with pytest.raises(IndexError, match="of an array of"):
        combined(x, 0, (x, len(x) * i), x.copy())
