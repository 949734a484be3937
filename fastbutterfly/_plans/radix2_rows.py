"""Radix-2 rows: a power-of-two butterfly applied to samples that are rows.

1. Rows are spread over all n coordinates where only some inputs are used.
2. n below four registers (`butterfly_small`): several samples share a register, and
   the kernel takes an even number of registers; what is left over is padded.
3. Otherwise (`butterfly_forward`): tile by tile, as many samples as share a weight
   while they stay in the L1 cache.
4. Large batches are cut into parts for threads; a result does not depend on the cut.
5. The outputs that are kept are picked.
"""

import numpy as np

from .._base.memory import Scratch, aligned, frozen
from .._base.threads import is_parallel, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.butterfly_forward import rows_down, rows_up
from .._kernels.butterfly_small import small_down, small_up
from .._kernels.schedule import forward_schedule
from .plan import Engine
from .weight_order import WeightOrder

MAX_NEAR = 1 << 19  # bytes of a sample from which its weights come from memory
TILE_BYTES = 1 << 15  # of samples that are worked on together: the L1 cache
MIN_ALIGNED = 1 << 14  # bytes of a result from which its alignment is worth its cost


def is_small(n, dtype):
    """Whether a sample has less than four registers."""
    return n < 4 * register_lanes(dtype)


def samples_per_tile(n, dtype):
    """As many samples as share a weight and stay in the caches."""
    size = n * dtype.itemsize
    return 8 if size >= MAX_NEAR else min(32, max(4, TILE_BYTES // size))


def padded(x, size):
    """A read-only flat copy, with zeros up to a size."""
    full = np.zeros(size, x.dtype)
    full[: len(x)] = x
    return frozen(full)


def schedule(n, dtype):
    """Sweeps over the layers, see `packing`."""
    lanes = register_lanes(dtype)
    return forward_schedule(max(n // lanes, 1), min(lanes, n).bit_length() - 1)


class Radix2Rows(Engine):
    """Engine for rows: `pack` weights, then `apply`."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self.n = n = plan.n
        lanes = register_lanes(dtype)
        self.pack = WeightOrder(plan, dtype, lanes, schedule(n, dtype)).pack
        self._depth, self._is_small = plan.depth, is_small(n, dtype)
        if self._is_small:
            self._kernel = small_up if plan.increasing else small_down
            self._call = self._call_small if plan.depth else _copy
        else:
            self._kernel = rows_up if plan.increasing else rows_down
            self._call = self._call_tiled
        self._unit = max(n, 2 * lanes) if self._is_small else n
        self._samples = samples_per_tile(n, dtype)
        self._min_aligned = MIN_ALIGNED // dtype.itemsize
        self._tiles = Scratch(self._samples * n, dtype)

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x.

        x (batch, n_in) and `out` (batch, n_out), which is not x, are C-ordered and of
        the engine's dtype.
        """
        if not self.inputs.is_all:
            x = self.inputs.spread(x)
        if out is not None and self.outputs.is_all:
            y = out
        elif x.size < self._min_aligned:
            y = np.empty(x.shape, self.dtype)
        else:
            y = aligned(x.shape, self.dtype)
        source = x.ravel()  # a view, and the kernels read from read-only arrays
        source.setflags(False)
        self._apply_flat(packed, source, y.ravel(), workers)
        return y if self.outputs.is_all else self.outputs.pick(y, out)

    def apply_vector(self, packed, x):
        """Return B x for one vector x, C-ordered."""
        x = frozen(x) if self.inputs.is_all else self.inputs.spread_vector(x)
        if not self._is_small:
            y = np.empty(self.n, self.dtype)
            self._kernel(x, packed, y, y, self.n)
        elif self._depth:
            y = np.zeros(self._unit, self.dtype)
            y[: self.n] = x
            self._kernel(frozen(y), packed, y, self.n)
            y = y[: self.n]
        else:
            y = x.copy()
        return y if self.outputs.is_all else y.take(self.outputs.index)

    def _apply_flat(self, packed, x, y, workers):
        size, unit = len(x), self._unit
        if size % unit:  # only where samples share registers
            whole = size - size % unit
            end = np.empty(unit, self.dtype)
            self._call(padded(x[whole:], unit), packed, end)
            y[whole:] = end[: size - whole]
            x, y, size = x[:whole], y[:whole], whole
        if size and (workers == 1 or not is_parallel(2 * self._depth * size)):
            self._call(x, packed, y)
        elif size:
            unit = max(unit, min(self._samples, size // self.n) * self.n)
            pieces = parts(size, unit, threads(workers))
            run(lambda part: self._call(x[part], packed, y[part]), pieces, workers)

    def _call_small(self, x, packed, y):
        self._kernel(x, packed, y, self.n)

    def _call_tiled(self, x, packed, y):
        size = len(x)
        if size == self.n:  # the tile of one sample may be its result
            self._kernel(x, packed, y, y, size)
            return
        tile = self._tiles.take(min(self._samples * self.n, size))
        self._kernel(x, packed, y, tile, self.n)
        self._tiles.give(tile)


def _copy(x, packed, y):
    """What a butterfly without layers does."""
    y[...] = x
