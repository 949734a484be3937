"""Square: how the kernels of a square butterfly are called, on flat arrays."""

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import PARTS, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.butterfly_forward import columns_down, columns_up, rows_down, rows_up
from .._kernels.butterfly_gradient import SKEW, gradient_down, gradient_up
from .._kernels.butterfly_small import (
    few_down,
    few_gradient_down,
    few_gradient_up,
    few_up,
)
from .._kernels.gather import gather, scatter
from .packing import apart, fill, joined, order, split, sweeps

SERIAL = 1 << 21  # weights times samples below which a second thread does not pay
SUMMED = 64  # least samples that are worth a partial sum of the weights' gradient
INDEXED = 1 << 14  # largest size whose order of packed weights is kept
MEMORY = 1 << 19  # bytes of a sample from which its weights come from memory
TOGETHER = 8  # registers of a row of columns, two cache lines or more
CACHE = 1 << 15  # bytes of samples that are worked on together


class Square:
    """Size and order of strides; no weights, no checks.

    Arrays are flat, samples of n numbers, and read-only where they are read; `packed`
    is what `pack` makes of the weights. Results do not depend on the number of workers.
    """

    def __init__(self, n, increasing):
        self.n, self.depth, self.increasing = n, n.bit_length() - 1, increasing
        self._orders = {}  # of packed weights
        self._few = few_up if increasing else few_down
        self._forward = rows_up if increasing else rows_down
        self._few_gradient = few_gradient_up if increasing else few_gradient_down
        self._gradient = gradient_up if increasing else gradient_down

    def pack(self, weights, use="rows"):
        """Flat weights in the order of `apply`, or of "columns", or of "gradient"."""
        if self.depth == 0:
            return weights
        copies, *layout = self._layout(weights.dtype, use)
        blocks = weights.reshape(self.depth, self.n // 2, 2, 2)
        if copies > 1:
            blocks = np.tile(blocks, (1, copies, 1, 1))
        parts = split(blocks)
        packed = aligned(parts.size, weights.dtype)
        if self.n > INDEXED:
            fill(packed, parts, self.increasing, *layout)
        else:
            order = self._order(len(parts), copies, *layout)
            gather(frozen(parts).reshape(-1), order, packed)
        return frozen(packed)

    def _unpack(self, sums):
        copies, *layout = self._layout(sums.dtype, "gradient")
        width = 2 if sums.dtype.kind == "c" else 1
        shape = width, self.depth, copies * (self.n // 2), 2, 2
        parts = np.empty(shape, sums.dtype)
        if self.n > INDEXED:
            fill(sums, parts, self.increasing, *layout, back=True)
        else:
            order = self._order(width, copies, *layout)
            scatter(frozen(sums), order, parts.reshape(-1))
        weights = joined(parts).reshape(self.depth, copies, -1)
        return (weights if copies == 1 else weights.sum(axis=1)).reshape(-1)

    def _order(self, width, copies, u, sweeps):
        key = width, u, *sweeps
        if key not in self._orders:
            half = copies * (self.n // 2)
            rest = self.increasing, u, sweeps
            self._orders[key] = order(self.depth, half, width, *rest)
        return self._orders[key]

    def _layout(self, dtype, use):
        """How often the weights are repeated to fill a register, its lanes, sweeps."""
        u = 1 if use == "columns" else register_lanes(dtype)
        inner = min(u, self.n).bit_length() - 1
        rows = max(self.n // u, 1)
        if use == "gradient" and rows >= 4:
            return 1, u, apart(inner, self.depth - inner)
        return max(u // self.n, 1), u, sweeps(rows, inner)

    def _is_few(self, dtype):
        """Whether a sample has less than four registers."""
        return self.n < 4 * register_lanes(dtype)

    def _granule(self, dtype, samples):
        """Numbers that a kernel takes at a time, whole samples."""
        return max(samples * self.n, 2 * register_lanes(dtype))

    def apply(self, packed, x, y, workers):
        """Write B x for each sample."""
        if self.depth == 0:
            y[...] = x
            return
        together = self._together(x)

        def kernel(x, y):
            if self._is_few(y.dtype):
                self._few(x, packed, y, self.n)
            else:
                tile = aligned(together * self.n, y.dtype)
                self._forward(x, packed, y, tile, self.n)

        granule = self._granule(x.dtype, 1)
        whole = len(x) - len(x) % granule
        unit, count = max(granule, together * self.n), self._count(whole, workers)
        pieces = parts(whole, unit, count)
        run(lambda part: kernel(x[part], y[part]), pieces, workers)
        if whole < len(x):
            rest = np.empty(granule, y.dtype)
            kernel(_filled(x[whole:], granule), rest)
            y[whole:] = rest[: len(x) - whole]

    def takes_columns(self, count, dtype):
        """Whether `apply_columns` can do it without a copy."""
        return self.n >= 4 and count >= register_lanes(dtype)

    def apply_columns(self, packed, x, y, count, workers):
        """Write B x for each column of planes (n, count)."""
        u, size = register_lanes(x.dtype), self.n * count
        kernel = columns_up if self.increasing else columns_down

        def work(part):
            plane, first, last = part
            tile = aligned(TOGETHER * self.n * u, x.dtype)
            kernel(x[plane], packed, y[plane], tile, self.n, count, first, last, count)

        pieces = parts(len(x), size, self._count(len(x), workers))
        if len(pieces) > 1:
            run(work, [(piece, 0, count) for piece in pieces], workers)
            return
        tile = len(x) // count * TOGETHER * u
        pieces = parts(len(x), tile, self._count(len(x), workers))
        step = len(x) // count
        pieces = [(p.start // step, p.stop // step) for p in pieces]
        run(work, [(slice(None), *piece) for piece in pieces], workers)

    def is_wide(self, count, dtype):
        """Whether there are as many columns as are worked on together."""
        return self.depth > 1 and count >= TOGETHER * register_lanes(dtype)

    def some_columns(self, packed, x, kept, out, workers):
        """Write the coordinates `kept` of B x for each column of x (planes, n, count).

        All are computed for a few columns at a time, and do not leave the cache.
        """
        planes, n, count = x.shape
        together = TOGETHER * register_lanes(x.dtype)
        kernel = columns_up if self.increasing else columns_down
        pieces = parts(count, together, count)
        widest = max(piece.stop - piece.start for piece in pieces)
        tasks = [(plane, piece) for plane in range(planes) for piece in pieces]

        def work(part):
            tile, room = (aligned(n * size, x.dtype) for size in (together, widest))
            for plane, piece in tasks[part]:
                size = piece.stop - piece.start
                rest = tile, n, count, piece.start, piece.stop, size
                kernel(x[plane].reshape(-1), packed, room[: n * size], *rest)
                out[plane, :, piece] = room[: n * size].reshape(n, size)[kept]

        run(work, parts(len(tasks), 1, self._count(x.size, workers)), workers)

    def one(self, packed):
        """Make the function that returns B x for one sample x, with little overhead."""
        n, dtype = self.n, packed.dtype
        room, few, forward = self._granule(dtype, 1), self._few, self._forward

        def few_numbers(x):
            y = np.zeros(room, dtype)
            y[:n] = x
            few(frozen(y), packed, y, n)
            return y[:n]

        def registers(x):
            y = np.empty(n, dtype)
            forward(frozen(x), packed, y, y, n)
            return y

        if n == 1:
            return np.copy
        return few_numbers if self._is_few(dtype) else registers

    def vjp(self, packed, x, g, workers):
        """Return the gradients of Re <g, B x> for x and for the flat weights.

        The batch is cut into parts that depend on its size alone, and their gradients
        are added in order, so the result does not depend on the number of workers.
        """
        gx = aligned(len(x), x.dtype)
        if self.depth == 0:
            gx[...] = g
            return gx, np.zeros(0, x.dtype)
        together, u = self._together(x, even=True), register_lanes(x.dtype)

        def kernel(x, g, gx, total):
            if self._is_few(x.dtype):
                self._few_gradient(x, g, packed, gx, total, self.n)
                return
            levels = self.depth - u.bit_length() + 1
            tiles = levels // 2 + 2
            scratch = aligned(tiles * (together * self.n + SKEW * u), x.dtype)
            rest = scratch, together, self.n, levels
            self._gradient(x, g, packed, gx, total, *rest)

        granule = self._granule(x.dtype, 2)
        whole = len(x) - len(x) % granule
        unit, count = max(granule, together * self.n), self._count(whole, PARTS)
        pieces = parts(whole, unit, count, SUMMED * self.n)
        sums = [aligned(len(packed), x.dtype) for _ in pieces or [None]]
        for total in sums:
            total[...] = 0

        def work(numbered):
            total, part = numbered
            kernel(x[part], g[part], gx[part], total)

        run(work, list(zip(sums, pieces, strict=False)), workers)
        if whole < len(x):
            rest = np.empty(granule, x.dtype)
            filled = _filled(x[whole:], granule), _filled(g[whole:], granule)
            kernel(*filled, rest, sums[-1])
            gx[whole:] = rest[: len(x) - whole]
        for total in sums[1:]:
            sums[0] += total
        return gx, self._unpack(sums[0])

    def _together(self, x, even=False):
        """Samples in a tile: as many as share a weight and stay in the caches."""
        size = self.n * x.itemsize
        most = 8 if size >= MEMORY else min(32, max(4, CACHE // size))
        least = 2 if even else 1
        return max(min(most, len(x) // self.n // least * least), least)

    def _count(self, length, workers):
        """Parts of a flat array: one if threads do not pay."""
        return threads(workers, 2 * self.depth * length >= SERIAL)


def _filled(x, length):
    """A copy with zeros up to `length`, read-only."""
    full = np.zeros(length, x.dtype)
    full[: len(x)] = x
    return frozen(full)
