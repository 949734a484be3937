"""Rotation: the two ways it is done, on arrays that are checked."""

import math

import numpy as np

from .._base.memory import aligned, frozen, immutable
from .._base.threads import parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.hadamard import (
    rotate_back_columns,
    rotate_back_rows,
    rotate_columns,
    rotate_rows,
)

DENSE = 129  # size below which a rotation is a matrix
PANEL = 1 << 16  # bytes of columns that are worked on together
SERIAL = 1 << 20  # bytes of a batch below which a second thread does not pay


def draw(n, rounds, rng):
    """A rotation, drawn."""
    return Dense.draw(n, rng) if n < DENSE else Fast.draw(n, rounds, rng)


class Dense:
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

    def _matrix(self, dtype, back):
        if dtype not in self._matrices:
            self._matrices[dtype] = self.data.astype(dtype)
        matrix = self._matrices[dtype]
        return matrix.T if back else matrix

    def one(self, x, back):
        """R x for one vector, or the transpose's."""
        return self._matrix(x.dtype, back) @ x

    def rows(self, x, y, back, workers):
        """Write R x for each row x, or the transpose's."""
        np.matmul(x, self._matrix(x.dtype, not back), out=y)

    def takes_columns(self, x):
        """Whether `columns` can do it without a copy."""
        return True

    def columns(self, x, y, back, workers):
        """Write R x for the columns of planes (n, count), or the transpose's."""
        np.matmul(self._matrix(x.dtype, back), x, out=y)


class Fast:
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

    def one(self, x, back):
        """R x for one vector, or the transpose's."""
        y = np.empty(self.n, x.dtype)
        kernel = rotate_back_rows if back else rotate_rows
        kernel(x, *self._packed(x.dtype), y, self.n, self.m)
        return y

    def rows(self, x, y, back, workers):
        """Write R x for each row x, or the transpose's."""
        kernel, packed = (
            rotate_back_rows if back else rotate_rows,
            self._packed(x.dtype),
        )

        def work(part):
            kernel(x[part].reshape(-1), *packed, y[part].reshape(-1), self.n, self.m)

        count = threads(workers, x.nbytes >= SERIAL)
        run(work, parts(len(x), 1, count), workers)

    def takes_columns(self, x):
        """Whether `columns` can do it without a copy."""
        return x.size > 0 and x.shape[2] >= register_lanes(x.dtype)

    def columns(self, x, y, back, workers):
        """Write R x for the columns of planes (n, count), or the transpose's."""
        kernel = rotate_back_columns if back else rotate_columns
        u = register_lanes(x.dtype)
        width = max(PANEL // (self.n * u * x.itemsize), 2) * u
        count, packed = x.shape[2], self._packed(x.dtype)

        def work(columns):
            ends = columns.start, columns.stop
            tile = aligned(self.n * width, x.dtype)
            for a, b in zip(x, y, strict=True):
                flat = a.reshape(-1), *packed, b.reshape(-1), tile
                kernel(*flat, self.n, self.m, count, *ends)

        pieces = parts(count, width, threads(workers, x.nbytes >= SERIAL))
        run(work, pieces, workers)
