"""Radix-2 columns: a power-of-two butterfly applied to samples that are columns.

1. A register holds a coordinate of neighbouring columns, so all weights are the same
   for its lanes, and layers mix whole registers.
2. Planes, or where there is only one its columns, are cut into parts for threads.
3. Where few outputs are kept, some columns at a time are computed in a buffer that
   does not leave the cache, and only what is kept is written.
"""

from .._base.memory import aligned
from .._base.threads import is_parallel, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.butterfly_forward import columns_down, columns_up
from .._kernels.schedule import forward_schedule
from .plan import Engine
from .weight_order import WeightOrder

REGISTERS = 8  # of a row of columns at a time: two cache lines or more


class Radix2Columns(Engine):
    """Engine for columns: `pack` weights, then `apply`."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self.n = plan.n
        self.pack = WeightOrder(plan, dtype, 1, forward_schedule(plan.n, 0)).pack
        self._depth, self._lanes = plan.depth, register_lanes(dtype)
        self._kernel = columns_up if plan.increasing else columns_down

    def accepts(self, shape):
        """Whether the kernel can take planes of this shape without a copy."""
        return self.n >= 4 and all(shape) and shape[2] >= self._lanes

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each column of x (planes, n_in, columns); `out` is not x."""
        planes, _, count = x.shape
        x = self.inputs.spread_columns(x)
        if not self.outputs.is_all and count >= REGISTERS * self._lanes:
            if out is None:
                out = aligned((planes, self.outputs.count, count), self.dtype)
            self._apply_selected(packed, x, out, workers)
            return out
        whole = self.outputs.is_all and out is not None
        y = out if whole else aligned((planes, self.n, count), self.dtype)
        self._apply_all(packed, x.ravel(), y.ravel(), count, workers)
        return self.outputs.pick_columns(y, out)

    def _apply_all(self, packed, x, y, count, workers):
        plane_size, width = self.n * count, REGISTERS * self._lanes

        def work(part):
            planes, first, last = part
            tile = aligned(width * self.n, self.dtype)
            sizes = self.n, count, first, last, count
            self._kernel(x[planes], packed, y[planes], tile, sizes)

        pieces = parts(len(x), plane_size, self._count(len(x), workers))
        if len(pieces) > 1:
            run(work, [(piece, 0, count) for piece in pieces], workers)
            return
        step = len(x) // count
        pieces = parts(len(x), step * width, self._count(len(x), workers))
        columns = [(slice(None), p.start // step, p.stop // step) for p in pieces]
        run(work, columns, workers)

    def _apply_selected(self, packed, x, out, workers):
        planes, n, count = x.shape
        width = REGISTERS * self._lanes
        pieces = parts(count, width, count)
        widest = max(piece.stop - piece.start for piece in pieces)
        tasks = [(plane, piece) for plane in range(planes) for piece in pieces]

        def work(part):
            tile, room = (aligned(n * size, self.dtype) for size in (width, widest))
            for plane, piece in tasks[part]:
                size = piece.stop - piece.start
                sizes = n, count, piece.start, piece.stop, size
                self._kernel(x[plane].ravel(), packed, room[: n * size], tile, sizes)
                kept = room[: n * size].reshape(n, size)[self.outputs.index]
                out[plane, :, piece] = kept

        run(work, parts(len(tasks), 1, self._count(x.size, workers)), workers)

    def _count(self, size, workers):
        """Number of parts: 1 below the parallel threshold."""
        return threads(workers, is_parallel(2 * self._depth * size))
