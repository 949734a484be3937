"""Hadamard plan: the transform without weights, of rows or columns.

1. n below four registers: several samples share a register, the last are padded.
2. Otherwise rows in groups that stay in the L1 cache.
3. Samples beyond MAX_ONE_PASS: first blocks of a sample that stay in the cache, then
   what lies a block apart, as columns.
4. Columns: some registers of columns at a time, through a tile.
"""

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.hadamard import hadamard_columns, hadamard_rows, hadamard_small

MAX_ONE_PASS = 1 << 20  # bytes of a sample from which it is passed over in two parts
BLOCK_BYTES = 1 << 14  # of what is done first of such a sample; at most half of that
PANEL_BYTES = 1 << 15  # of columns that are worked on together
TILE_BYTES = 1 << 13  # of samples that are worked on together
MIN_PARALLEL_BYTES = 1 << 22  # of a batch from which a second thread is faster


class HadamardPlan:
    """Size, dtype and scale n^-power; arrays are C-ordered and not checked."""

    def __init__(self, dtype, n, power):
        self.n, self.dtype = n, dtype
        self.lanes = register_lanes(dtype)
        factor = n**-power * (1 + 1j if dtype.kind == "c" else 1)
        self.scale = frozen(np.full(self.lanes, factor, dtype))
        self.one = frozen(np.full(self.lanes, factor * n**power, dtype))
        size = n * dtype.itemsize
        self.block = BLOCK_BYTES // dtype.itemsize if size > MAX_ONE_PASS else 0

    def apply_plain(self, x, workers):
        """Return the transform of a C-ordered array along its last axis."""
        n = self.n
        if x.ndim == 1 and not (self.block or n < 4 * self.lanes):
            y = np.empty(n, x.dtype)
            hadamard_rows(frozen(x), self.scale, y, n, 1)
            return y
        y = (aligned if x.size > 1 << 12 else np.empty)(x.shape, x.dtype)
        self._apply_flat(frozen(x.reshape(-1)), y.reshape(-1), workers)
        return y

    def apply_rows(self, x, y=None, workers=None):
        """Return the transform of each row of x, in `y` if it is given."""
        y = aligned(x.shape, x.dtype) if y is None else y
        self._apply_flat(frozen(x.reshape(-1)), y.reshape(-1), workers)
        return y

    def _apply_flat(self, x, y, workers):
        if self.n == 1:
            np.multiply(x, self.scale[0].real, out=y)
        elif self.n < 4 * self.lanes:
            self._small(x, y, workers)
        elif self.block:
            self._two_passes(x, y, workers)
        else:
            self._rows(x, self.scale, y, self.n, workers)

    def _rows(self, x, scale, y, n, workers):
        together = max(1, TILE_BYTES // (n * x.itemsize))
        pieces = parts(len(x), n, threads(workers, x.nbytes >= MIN_PARALLEL_BYTES))
        run(lambda p: hadamard_rows(x[p], scale, y[p], n, together), pieces, workers)

    def _small(self, x, y, workers):
        """Registers hold several samples; the last few are filled up with zeros."""
        unit = max(self.n, 2 * self.lanes)
        whole = len(x) - len(x) % unit

        def work(part):
            hadamard_small(x[part], self.scale, y[part], self.n)

        pieces = parts(whole, unit, threads(workers, x.nbytes >= MIN_PARALLEL_BYTES))
        run(work, pieces, workers)
        if whole < len(x):
            room = np.zeros(unit, x.dtype)
            room[: len(x) - whole] = x[whole:]
            hadamard_small(frozen(room), self.scale, room, self.n)
            y[whole:] = room[: len(x) - whole]

    def _two_passes(self, x, y, workers):
        """First the blocks of a sample, then what lies a block apart, as columns."""
        self._rows(x, self.one, y, self.block, workers)
        planes = y.reshape(-1, self.n // self.block, self.block)
        self._columns(frozen(planes), planes, workers)

    def accepts(self, shape):
        """Whether the kernel can take planes of this shape without a copy."""
        return all(shape) and self.n >= 4 and shape[2] >= self.lanes

    def apply_columns(self, x, y=None, workers=None):
        """Return the transform of each column of planes (n, count), maybe in `y`."""
        y = aligned(x.shape, x.dtype) if y is None else y
        self._columns(frozen(x), y, workers)
        return y

    def _columns(self, x, y, workers):
        planes, n, count = x.shape
        width = max(PANEL_BYTES // (n * self.lanes * x.itemsize), 2) * self.lanes
        flat = x.reshape(-1), y.reshape(-1)

        def work(piece):
            (x, y), (plane, columns) = flat, piece
            size, ends = n * count, (columns.start, columns.stop)
            x, y = (a[plane.start * size : plane.stop * size] for a in (x, y))
            tile = aligned(n * width, x.dtype)
            hadamard_columns(x, self.scale, y, tile, n, count, *ends)

        every = slice(0, planes), slice(0, count)
        most = threads(workers, x.nbytes >= MIN_PARALLEL_BYTES)
        if planes >= most:
            pieces = [(plane, every[1]) for plane in parts(planes, 1, most)]
        else:
            pieces = [(every[0], columns) for columns in parts(count, width, most)]
        run(work, pieces, workers)
