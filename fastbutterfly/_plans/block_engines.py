"""Engines for layers of any blocks: rows, columns and gradients.

1. A register holds a coordinate of neighbouring samples. Rows are turned into such
   tiles and back in squares; columns lie so already.
2. All layers are applied to a tile, from one half of a buffer to the other.
3. Batches that fill no register are done row by row, or padded.
4. Gradients go forward through a tile, where what enters each layer is kept, and back
   by the adjoint's weights; the batch is cut into parts that depend on its size alone.
"""

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import PARTS, is_parallel, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.block_chain import (
    chain_columns,
    chain_gradient,
    chain_row_by_row,
    chain_rows,
)
from .block_packing import pack, unpack
from .plan import Engine
from .radix2_gradient import MIN_SUMMED
from .radix2_rows import TILE_BYTES


class _BlockEngine(Engine):
    """What the engines have in common; `pack` makes weights ready for the kernels."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self.lanes, (self.n_out, self.n_in) = register_lanes(dtype), plan.sizes
        self._pattern, self._table = plan.pattern, plan.table
        self._widest, self._n_stored = plan.widest, plan.n_stored
        size = self._widest * self.lanes * dtype.itemsize
        self._registers = min(16, max(2, TILE_BYTES // size // 2 * 2))  # in a tile

    def pack(self, weights):
        """Flat weights as the kernels read them."""
        return pack(weights, self._pattern)

    def _count(self, batch, workers):
        """Number of parts: 1 below the parallel threshold."""
        return threads(workers, is_parallel(self._n_stored * batch))


class BlockRows(_BlockEngine):
    """Engine for rows: `pack` weights, then `apply`."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self._max_single = max(self.lanes // 4, 1)  # rows up to which each is alone

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x (batch, n_in); `out` is C-ordered and not x."""
        batch, lanes = len(x), self.lanes
        whole = out is not None and self.outputs.is_all
        y = out if whole else aligned((batch, self.n_out), self.dtype)
        x = self.inputs.spread(x)
        if batch <= self._max_single:
            room = np.empty(2 * self._widest, self.dtype)
            flat = x.ravel(), packed, y.ravel(), room
            chain_row_by_row(*flat, self._table, (self.n_in, self.n_out))
        elif min(batch, self.n_in, self.n_out) >= lanes:
            self._apply_tiles(packed, x, y, workers)
        else:
            rows, width = max(batch, lanes), max(self.n_out, lanes)
            made = np.empty((rows, width), self.dtype)
            self._apply_tiles(packed, _padded(x, rows, lanes), made, workers)
            y[...] = made[:batch, : self.n_out]
        return self.outputs.pick(y, out)

    def apply_vector(self, packed, x):
        """Return B x for one vector x, C-ordered."""
        return self.apply(packed, x[np.newaxis])[0]

    def _apply_tiles(self, packed, x, y, workers):
        lanes = self.lanes

        def work(part):
            rows, made = x[part], y[part]
            count = min(self._registers, len(rows) // lanes)
            count -= count % 2 if count > 1 else 0
            tile = aligned(2 * max(self._widest, lanes) * count * lanes, self.dtype)
            flat = frozen(rows).ravel(), packed, made.ravel(), tile
            chain_rows(*flat, self._table, (x.shape[1], y.shape[1], count))

        count = self._count(len(x), workers)
        run(work, parts(len(x), self._registers * lanes, count), workers)


class BlockColumns(_BlockEngine):
    """Engine for columns: `pack` weights, then `apply`."""

    def accepts(self, shape):
        """Whether the kernel can take planes of this shape without a copy."""
        return all(shape) and shape[2] >= self.lanes

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each column of x (planes, n_in, columns); `out` is not x."""
        target = out if self.outputs.is_all else None
        y = self._columns(packed, self.inputs.spread_columns(x), workers, target)
        return self.outputs.pick_columns(y, out)

    def _columns(self, packed, x, workers, y=None):
        planes, _, count = x.shape
        if y is None:
            y = aligned((planes, self.n_out, count), self.dtype)

        def work(part):
            size = 2 * self._widest * self._registers * self.lanes
            flat = x.ravel(), packed, y.ravel(), aligned(size, self.dtype), self._table
            sizes = self.n_in, self.n_out, count, part.start, part.stop
            chain_columns(*flat, (*sizes, self._registers))

        pieces = parts(count, self.lanes, self._count(planes * count, workers))
        run(work, pieces, workers)
        return y


class BlockGradient(_BlockEngine):
    """Engine for gradients: `pack` weights, then `vjp`."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self._adjoint, self._depth = plan.T, plan.depth
        self._transposed = plan.transposed

    def pack(self, weights):
        """Flat weights as the kernels read them, and those of B^H."""
        adjoint = self._transposed(weights).conj()
        return pack(weights, self._pattern), pack(adjoint, self._adjoint.pattern)

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,)."""
        x, g = self.inputs.spread(x), self.outputs.spread(g)
        batch, lanes, tile = len(x), self.lanes, self._registers * self.lanes
        whole = batch - batch % tile if min(self.n_in, self.n_out) >= lanes else 0
        gx = aligned((batch, self.n_in), self.dtype)
        pieces = parts(whole, tile, self._count(whole, PARTS), MIN_SUMMED)
        tasks = [(x[part], g[part], gx[part]) for part in pieces]
        if whole < batch:
            rows = -(-(batch - whole) // tile) * tile
            end = np.empty((rows, max(self.n_in, lanes)), self.dtype)
            ends = _padded(x[whole:], rows, lanes), _padded(g[whole:], rows, lanes)
            tasks.append((*ends, end))
        sums = [np.zeros(len(packed[0]), self.dtype) for _ in tasks]
        run(
            lambda numbered: self._call(packed, *numbered[1], numbered[0]),
            list(zip(sums, tasks, strict=True)),
            workers,
        )
        if whole < batch:
            gx[whole:] = end[: batch - whole, : self.n_in]
        total = sum(sums[1:], start=sums[0]) if sums else np.zeros_like(packed[0])
        return self.inputs.pick(gx), unpack(total, self._pattern)

    def _call(self, packed, x, g, gx, total):
        widest = max(self._widest, self.lanes)
        size = (self._depth + 2) * widest * self._registers * self.lanes
        flat = frozen(x).ravel(), frozen(g).ravel(), packed, gx.ravel(), total
        tables = self._table, self._adjoint.table
        sizes = x.shape[1], g.shape[1], widest, self._registers
        chain_gradient(*flat, aligned(size, self.dtype), tables, sizes)


def _padded(x, rows, lanes):
    """Rows and at least `lanes` columns, zeros where x has nothing."""
    full = np.zeros((rows, max(x.shape[1], lanes)), x.dtype)
    full[: len(x), : x.shape[1]] = x
    return full
