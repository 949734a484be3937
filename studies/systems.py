"""Systems of equations for `preconditioners.py`: dense, sparse, known by products."""

import numpy as np
import scipy.fft
import scipy.sparse as sp
from scipy.linalg import toeplitz
from scipy.sparse.linalg import LinearOperator


def problems(n, rng):
    """Name, matrix, and whether it is positive definite."""
    yield "Helmholtz kernel, second kind", *second_kind(n, rng)
    z = np.exp(2j * np.pi * np.arange(n) / n)
    apart = np.abs(z[:, np.newaxis] - z)
    np.fill_diagonal(apart, np.pi / n / np.e)
    yield "logarithmic kernel, first kind", -np.log(apart) / n, False
    yield "Toeplitz, 1 / (1 + k)^1.1", toeplitz((1.0 + np.arange(n)) ** -1.1), True
    yield "kernel, scattered points", *scattered(n, rng)
    yield "Fourier, points off by 10 %", *fourier(n, 0.1, rng)
    yield "Fourier, points off by 45 %", *fourier(n, 0.45, rng)
    yield "Laplace, 1D", laplace(n).tocsr(), True
    side = int(n**0.5)
    grid, identity, h = laplace(side), sp.eye_array(side), 1 / (side + 1)
    plane = sp.kron(grid, identity) + sp.kron(identity, grid)
    yield "Laplace, 2D", plane.tocsr(), True
    yield "jumping coefficients, 2D", jumping(side, rng), True
    wind = sp.diags_array([-1.0, 1.0], offsets=[-1, 0], shape=(side, side))
    wind = sp.kron(wind, identity) + 0.5 * sp.kron(identity, wind)
    yield "convection and diffusion, 2D", (plane + 40 * h * wind).tocsr(), False
    plane = plane - (25 * h) ** 2 * sp.eye_array(n)
    yield "Helmholtz equation, 2D", plane.tocsr(), False


def second_kind(n, rng):
    """The identity and an oscillating kernel on random points of a line."""
    x = np.sort(rng.random(n))
    apart = np.abs(x[:, np.newaxis] - x)
    return np.eye(n) + 20 * np.exp(40j * apart) / n, False


def scattered(n, rng):
    """An exponential kernel on random points of a square, by strips, and noise."""
    points = rng.random((n, 2))
    points = points[np.lexsort(np.floor(8 * points).T)]
    apart = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    return np.exp(-apart / 0.3) + 1e-3 * np.eye(n), True


def fourier(n, off, rng):
    """Values of a trigonometric polynomial at points near equidistant ones."""
    frequencies = np.arange(n) - n // 2
    angles = 2 * np.pi * np.outer(nearly_equidistant(n, off, rng), frequencies)
    return np.exp(-1j * angles) / n**0.5, False


def nearly_equidistant(n, off, rng):
    """Points of [0, 1), off by so much of their distance at most."""
    return (np.arange(n) + off * rng.uniform(-1, 1, n)) / n


def laplace(n):
    """Second differences."""
    return sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))


def jumping(side, rng):
    """Diffusion, 100 times weaker down the rows; 1 or 1e4 in each of 16 squares."""
    coefficients = np.where(rng.random((4, 4)) < 0.5, 1.0, 1e4)
    fine = np.kron(coefficients, np.ones((-(-side // 4),) * 2))[:side, :side]
    fine = np.pad(fine, 1, mode="edge")
    index = np.full(fine.shape, -1)
    index[1:-1, 1:-1] = np.arange(side * side).reshape(side, side)
    A = np.zeros((side * side, side * side))
    for axis, strength in ((0, 0.01), (1, 1.0)):
        p, q = (np.delete(index, end, axis).ravel() for end in (-1, 0))
        a, b = (np.delete(fine, end, axis).ravel() for end in (-1, 0))
        flow = strength * 2 / (1 / a + 1 / b)
        for i, j in ((p, q), (q, p)):
            np.add.at(A, (i[i >= 0], i[i >= 0]), flow[i >= 0])
            both = (i >= 0) & (j >= 0)
            A[i[both], j[both]] -= flow[both]
    return sp.csr_array(A)


class ToeplitzByFFT(LinearOperator):
    """A symmetric Toeplitz matrix, given by its first column."""

    def __init__(self, column):
        super().__init__(column.dtype, (len(column), len(column)))
        self.spectrum = scipy.fft.rfft(np.r_[column, 0, column[:0:-1]])[:, np.newaxis]

    def _matmat(self, X):
        size = 2 * len(X)
        spectra = self.spectrum * scipy.fft.rfft(X, size, axis=0)
        return scipy.fft.irfft(spectra, size, axis=0)[: len(X)]

    _rmatmat = _matmat

    def _matvec(self, x):
        return self._matmat(x.reshape(-1, 1)).reshape(-1)


class FourierByGridding(LinearOperator):
    """`fourier` to ten digits: a fast transform of twice the size, then Gaussians."""

    def __init__(self, points):
        n, width = len(points), 1.35
        super().__init__(np.complex128, (n, n))
        self.size, frequencies = 2 * n, np.arange(n) - n // 2
        centres = (self.size * points)[:, np.newaxis]
        near = np.floor(centres).astype(int) + np.arange(-11, 13)
        values = np.exp(-((centres - near) ** 2) / (4 * width))
        ends = np.arange(n + 1) * near.shape[1]
        entries = values.ravel(), near.ravel() % self.size, ends
        self.gather = sp.csr_array(entries, shape=(n, self.size))
        damped = np.exp(width * (2 * np.pi * frequencies / self.size) ** 2)
        self.scale = (damped / np.sqrt(4 * np.pi * width * n))[:, np.newaxis]
        self.places = frequencies % self.size

    def _matmat(self, X):
        spectrum = np.zeros((self.size, X.shape[1]), complex)
        spectrum[self.places] = self.scale * X
        return self.gather @ scipy.fft.fft(spectrum, axis=0)

    def _rmatmat(self, X):
        spectrum = scipy.fft.ifft(self.gather.T @ X, axis=0, norm="forward")
        return self.scale * spectrum[self.places]

    def _matvec(self, x):
        return self._matmat(x.reshape(-1, 1)).reshape(-1)
