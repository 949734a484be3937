"""Exact transforms against SciPy, to rounding."""

import laws
import numpy as np
import pytest
import scipy.fft
import scipy.linalg

import fastbutterfly as fb

DEPTHS = (0, 1, 2, 3, 4) if laws.INTERPRETED else (0, 1, 2, 3, 4, 6, 10)
POWERS = [1 << depth for depth in DEPTHS]
NORMS = pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
COMPLEX = pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
REAL = pytest.mark.parametrize("dtype", laws.REAL)


def wide(x):
    """In double precision."""
    return np.asarray(x, np.result_type(x, float))


@NORMS
@COMPLEX
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("n", [*POWERS, 3, 6, 12, 35, 100, 768, 127, 2 * 113])
def test_dft(n, inverse, norm, dtype, rng):
    F = fb.dft(n, inverse=inverse, norm=norm, dtype=dtype)
    x = laws.draw(rng, (3, n), dtype)
    expected = (scipy.fft.ifft if inverse else scipy.fft.fft)(wide(x), norm=norm)
    assert F.dtype == dtype
    laws.assert_close(F.apply(x), expected, max(n, 2))


@COMPLEX
def test_dft_and_its_inverse(dtype, rng):
    F, back = (fb.dft(60, inverse=inverse, dtype=dtype) for inverse in (False, True))
    laws.assert_close((back @ F).to_dense(), np.eye(60), 60**2)
    laws.assert_close(F.inv().to_dense(), back.to_dense(), 60**2)
    assert fb.dft(64, norm="ortho").orthogonality_bound() < 1e-14


def test_dft_is_exact_at_quarter_turns():
    matrix = fb.dft(4).to_dense()
    np.testing.assert_array_equal(matrix, scipy.linalg.dft(4).round())


@REAL
@NORMS
@pytest.mark.parametrize("kind", [2, 3, 4])
@pytest.mark.parametrize("n", POWERS)
@pytest.mark.parametrize("name", ["dct", "dst"])
def test_cosine_and_sine(name, n, kind, norm, dtype, rng):
    x = laws.draw(rng, (3, n), dtype)
    transform = getattr(fb, name)(n, type=kind, norm=norm, dtype=dtype)
    expected = getattr(scipy.fft, name)(wide(x), kind, norm=norm)
    assert transform.dtype == dtype
    laws.assert_close(transform.apply(x), expected, max(n, 2) ** 2)
    if norm == "ortho":
        laws.assert_close(
            (transform.T @ transform).to_dense(), np.eye(n), max(n, 2) ** 2
        )


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("n", [1, 2, 4, 16, 64, 3, 5, 12, 50])
def test_circulant(n, dtype, rng):
    c = laws.draw(rng, n, dtype)
    C = fb.circulant(c)
    assert C.dtype == dtype
    matrix = scipy.linalg.circulant(wide(c))
    scale = np.abs(scipy.fft.fft(wide(c))).max() * np.sqrt(n)
    error = np.linalg.norm(C.to_dense() - matrix)
    assert error <= laws.tolerance(dtype, max(n, 2) ** 4) * scale
    x = laws.draw(rng, (n, 2), dtype)
    assert np.linalg.norm(C @ x - matrix @ x) <= 1e3 * np.finfo(dtype).eps * scale


@pytest.mark.parametrize("dtype", laws.DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (1, 7), (7, 1), (20, 13)])
def test_toeplitz(shape, dtype, rng):
    c, r = (laws.draw(rng, size, dtype) for size in shape)
    T = fb.toeplitz(c, r)
    assert T.shape == shape
    assert T.dtype == dtype
    matrix = scipy.linalg.toeplitz(wide(c), wide(r))
    size = np.linalg.norm(c) + np.linalg.norm(r)
    allowed = 1e3 * np.finfo(dtype).eps * size
    assert np.linalg.norm(T.to_dense() - matrix) <= allowed
    square = fb.toeplitz(c).to_dense()
    assert np.linalg.norm(square - scipy.linalg.toeplitz(wide(c))) <= allowed
    assert np.linalg.norm(T.T.to_dense() - matrix.T) <= allowed


@pytest.mark.parametrize("order", ["natural", "sequency", "dyadic"])
@pytest.mark.parametrize("n", POWERS)
def test_hadamard_orders(n, order):
    rows = fb.hadamard(n, order=order).to_dense() * np.sqrt(n)
    natural = scipy.linalg.hadamard(n)
    changes = np.count_nonzero(np.diff(np.sign(rows)), axis=1)
    if order == "natural":
        np.testing.assert_allclose(rows, natural)
    elif order == "sequency":
        np.testing.assert_array_equal(changes, np.arange(n))
    else:
        depth = n.bit_length() - 1
        reverse = [int(f"{k:0{depth}b}"[::-1], 2) if depth else 0 for k in range(n)]
        np.testing.assert_allclose(rows, natural[reverse])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fb.dft(131), "131 with the factor 131; use fastbutterfly.truncated"),
        (lambda: fb.dft(8, dtype=float), "dtype must be complex64 or complex128"),
        (lambda: fb.dft(8, norm="unit"), "norm must be one of 'backward', 'ortho'"),
        (lambda: fb.dct(12), "n must be a power of two, got 12"),
        (lambda: fb.dct(8, type=1), "type must be one of 2, 3, 4, got 1"),
        (lambda: fb.dst(8, dtype=complex), "dtype must be float32 or float64"),
        (lambda: fb.hadamard(8, order="walsh"), "order must be one of 'natural'"),
        (lambda: fb.circulant([]), "c must be a vector of at least one number"),
        (lambda: fb.circulant(np.ones((2, 2))), r"c must be a vector.*\(2, 2\)"),
        (lambda: fb.toeplitz([1, 2], [[1]]), "r must be a vector"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()
