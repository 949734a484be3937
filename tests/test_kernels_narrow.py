"""Products with a short side against NumPy's."""

import laws
import numpy as np
import pytest

from fastbutterfly._plans import thin_matmul

pytestmark = [pytest.mark.interpreted, pytest.mark.generic]

DTYPES = "float32", "float64"
SIZES = [(1, 1, 1), (3, 1, 70), (9, 5, 33), (16, 40, 32), (33, 7, 64), (8, 64, 100)]
LAYOUTS = ("C", "C"), ("C", "F"), ("F", "C"), ("F", "F")


@pytest.fixture
def always(monkeypatch):
    """Our own kernel for every product."""
    monkeypatch.setattr(thin_matmul, "_pays", lambda a, b: True)


def draw(shape, dtype, order, seed):
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_normal(shape), dtype, order=order)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layouts", LAYOUTS)
def test_product_is_that_of_numpy(size, dtype, layouts, always):
    m, terms, n = size
    a = draw((m, terms), dtype, layouts[0], 0)
    b = draw((terms, n), dtype, layouts[1], 1)
    out = np.full((m, n), np.nan, dtype)
    expected = a.astype(float) @ b.astype(float)
    laws.assert_close(thin_matmul.product(a, b), expected, 2 * terms)
    assert thin_matmul.product(a, b, out) is out
    laws.assert_close(out, expected, 2 * terms)


@pytest.mark.parametrize("dtype", DTYPES)
def test_panels_in_groups(dtype, monkeypatch, always):
    monkeypatch.setattr(thin_matmul, "CACHE", 1)
    a, b = draw((10, 6), dtype, "C", 0), draw((6, 150), dtype, "C", 1)
    expected = a.astype(float) @ b.astype(float)
    laws.assert_close(thin_matmul.product(a, b), expected, 12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_nan_and_inf_stay_in_their_row_or_column(bad, side, always):
    pair = [draw((9, 5), "float32", "C", 0), draw((5, 40), "float32", "C", 1)]
    pair[side][3, 2] = bad
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(
            np.isfinite(thin_matmul.product(*pair)), np.isfinite(pair[0] @ pair[1])
        )


def test_neither_input_nor_what_lies_beside_it_is_written(always):
    room = np.arange(400.0)
    a, b, out = room[:21], room[30:96], room[200:354]
    before = room.copy()
    thin_matmul.product(a.reshape(7, 3), b.reshape(3, 22), out.reshape(7, 22))
    np.testing.assert_array_equal(room[:200], before[:200])
    np.testing.assert_array_equal(room[354:], before[354:])


def test_strided_matrices_are_left_to_numpy():
    a, b = (
        draw((200, 64), "float32", "C", 0)[:, ::2],
        draw((32, 256), "float32", "C", 1),
    )
    np.testing.assert_array_equal(thin_matmul.product(a, b), a @ b)
