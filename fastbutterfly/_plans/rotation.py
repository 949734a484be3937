"""Rotation plans: a matrix for small sizes, rounds of Hadamard transforms for others.

A round is signs and H of the first m coordinates, signs and H of the last m, then pairs
of coordinates ceil(n / 2) apart; n = m = 2^k needs the first alone. Rows are rotated
one by one, columns some registers at a time, through a tile.
"""

import math

import numpy as np

from .._base.memory import aligned, frozen, immutable
from .._base.threads import parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.rotation import (
    rotate_back_columns,
    rotate_back_rows,
    rotate_columns,
    rotate_rows,
)

MAX_DENSE = 128  # largest size that is a matrix
PANEL_BYTES = 1 << 16  # of columns that are worked on together
MIN_PARALLEL_BYTES = 1 << 20  # of a batch from which a second thread is faster


def draw(n, rounds, rng):
    """A rotation, drawn."""
    if n <= MAX_DENSE:
        return DenseRotation.draw(n, rng)
    return HadamardRotation.draw(n, rounds, rng)


class DenseRotation:
    """A matrix, for small sizes."""

    def __init__(self, n, data):
        self.data = immutable(data)
        self._matrices = {}

    @classmethod
    def draw(cls, n, rng):
        """From the uniform distribution of rotations."""
        matrix, triangle = np.linalg.qr(rng.standard_normal((n, n)))
        matrix *= np.where(np.diag(triangle) < 0, -1, 1)
        matrix[0] *= np.linalg.slogdet(matrix)[0]
        return cls(n, matrix)

    def _matrix(self, dtype, transposed):
        if dtype not in self._matrices:
            self._matrices[dtype] = self.data.astype(dtype)
        matrix = self._matrices[dtype]
        return matrix.T if transposed else matrix

    def apply_vector(self, x, transposed):
        """R x for one vector, or R^T x."""
        return self._matrix(x.dtype, transposed) @ x

    def apply_rows(self, x, y, transposed, workers):
        """Return R x for each row x, or R^T x, in `y` if it is given."""
        y = aligned(x.shape, x.dtype) if y is None else y
        return np.matmul(x, self._matrix(x.dtype, not transposed), out=y)

    def accepts(self, shape, dtype):
        """Whether `apply_columns` can take planes of this shape without a copy."""
        return True

    def apply_columns(self, x, y, transposed, workers):
        """Return R x for the columns of planes (n, count), or R^T x, maybe in `y`."""
        y = aligned(x.shape, x.dtype) if y is None else y
        return np.matmul(self._matrix(x.dtype, transposed), x, out=y)


class HadamardRotation:
    """Rounds of signs and Hadamard transforms of m coordinates."""

    def __init__(self, n, data):
        self.n, self.data = n, immutable(data)
        self.m = self.data.shape[1]
        self._packs = {}

    @classmethod
    def draw(cls, n, rounds, rng):
        """Random signs, but one, which makes the determinant 1."""
        m = 1 << (n.bit_length() - 1)
        shape = (rounds, m) if n == m else (2 * rounds, m)
        signs = 1 - 2 * rng.integers(0, 2, shape, np.int8)
        pairs = 0 if n == m else rounds * (n // 2)
        if signs.prod() * (-1) ** pairs < 0:  # the determinant: that of H is 1, of a
            signs[0, 0] *= -1  # pair -1
        return cls(n, signs)

    def _packed(self, dtype):
        if dtype not in self._packs:
            numbers = aligned(self.data.size, dtype)
            np.multiply(self.data.reshape(-1), math.sqrt(1 / self.m), out=numbers)
            half = np.full(1, math.sqrt(0.5), dtype)
            self._packs[dtype] = frozen(numbers), frozen(half)
        return self._packs[dtype]

    def apply_vector(self, x, transposed):
        """R x for one vector, or R^T x."""
        y = np.empty(self.n, x.dtype)
        kernel = rotate_back_rows if transposed else rotate_rows
        kernel(frozen(x), *self._packed(x.dtype), y, self.n, self.m)
        return y

    def apply_rows(self, x, y, transposed, workers):
        """Return R x for each row x, or R^T x, in `y` if it is given."""
        x, y = frozen(x), aligned(x.shape, x.dtype) if y is None else y
        kernel = rotate_back_rows if transposed else rotate_rows
        packed = self._packed(x.dtype)

        def work(part):
            kernel(x[part].reshape(-1), *packed, y[part].reshape(-1), self.n, self.m)

        count = threads(workers, x.nbytes >= MIN_PARALLEL_BYTES)
        run(work, parts(len(x), 1, count), workers)
        return y

    def accepts(self, shape, dtype):
        """Whether `apply_columns` can take planes of this shape without a copy."""
        return all(shape) and shape[2] >= register_lanes(dtype)

    def apply_columns(self, x, y, transposed, workers):
        """Return R x for the columns of planes (n, count), or R^T x, maybe in `y`."""
        x, y = frozen(x), aligned(x.shape, x.dtype) if y is None else y
        kernel = rotate_back_columns if transposed else rotate_columns
        lanes, count = register_lanes(x.dtype), x.shape[2]
        width = max(PANEL_BYTES // (self.n * lanes * x.itemsize), 2) * lanes
        packed = self._packed(x.dtype)

        def work(columns):
            ends = columns.start, columns.stop
            tile = aligned(self.n * width, x.dtype)
            for a, b in zip(x, y, strict=True):
                flat = a.reshape(-1), *packed, b.reshape(-1), tile
                kernel(*flat, (self.n, self.m, count, *ends))

        count_parts = threads(workers, x.nbytes >= MIN_PARALLEL_BYTES)
        run(work, parts(count, width, count_parts), workers)
        return y


def restored(n, data):
    """The plan that has these data: a matrix, or rounds of signs."""
    kind = HadamardRotation if data.dtype == np.int8 else DenseRotation
    return kind(n, data)
