"""Radix-2 gradient: of Re <g, B x>, for the input and for the weights.

1. Inputs and gradients are spread over all n coordinates where only some are used.
2. The batch is cut into parts that depend on its size alone, each with sums of its own
   for the weights' gradient, so that the bits do not depend on the number of workers.
3. Each part goes tile by tile forward, where what enters a sweep is kept, and back
   (`butterfly_gradient`; n below four registers: `butterfly_small`).
4. The sums are added in order and unpacked.
"""

import numpy as np

from .._base.memory import Scratch, aligned
from .._base.threads import PARTS, is_parallel, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.butterfly_gradient import SKEW, gradient_down, gradient_up
from .._kernels.butterfly_small import small_gradient_down, small_gradient_up
from .._kernels.schedule import gradient_schedule
from .plan import Engine
from .radix2_rows import MIN_ALIGNED, is_small, padded, samples_per_tile, schedule
from .weight_order import WeightOrder

MIN_SUMMED = 64  # minimum rows per partial gradient sum


class Radix2Gradient(Engine):
    """Engine for gradients: `pack` weights, then `vjp`."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self.n = n = plan.n
        lanes = register_lanes(dtype)
        self._depth, self._is_small = plan.depth, is_small(n, dtype)
        self._levels = plan.depth - lanes.bit_length() + 1
        sweeps = schedule(n, dtype)
        if not self._is_small:
            sweeps = gradient_schedule(lanes.bit_length() - 1, self._levels)
        order = WeightOrder(plan, dtype, lanes, sweeps)
        self.pack, self._unpack = order.pack, order.unpack
        self._small = small_gradient_up if plan.increasing else small_gradient_down
        self._large = gradient_up if plan.increasing else gradient_down
        self._unit = max(2 * n, 2 * lanes)  # an even number of samples and registers
        self._samples = samples_per_tile(n, dtype) // 2 * 2
        self._min_aligned = MIN_ALIGNED // dtype.itemsize
        self._min_summed = MIN_SUMMED * n
        self._skew, self._tiles = SKEW * lanes, self._levels // 2 + 2
        self._scratch = Scratch(self._size(self._samples), dtype)

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients for x (batch, n_in) and for the flat weights.

        x and g (batch, n_out) are C-ordered and of the engine's dtype.
        """
        x, g = self.inputs.spread(x), self.outputs.spread(g)
        make = np.empty if x.size < self._min_aligned else aligned
        gx = make(x.shape, self.dtype)
        if self._depth:
            flat = x.ravel(), g.ravel(), gx.ravel()
            gweights = self._unpack(self._vjp_flat(packed, *flat, workers))
        else:
            gx[...], gweights = g, np.zeros(0, self.dtype)
        return self.inputs.pick(gx), gweights

    def _vjp_flat(self, packed, x, g, gx, workers):
        """Write gx and return the sums for the packed weights."""
        size, unit = len(x), self._unit
        whole = size - size % unit
        if whole == size <= self._min_summed:  # one part, and nothing to pad
            total = self._zeros(len(packed))
            if size:
                self._call(x, g, packed, gx, total)
            return total
        pieces = self._parts(whole)
        sums = [self._zeros(len(packed)) for _ in pieces or [None]]

        def work(numbered):
            total, part = numbered
            self._call(x[part], g[part], packed, gx[part], total)

        run(work, list(zip(sums, pieces, strict=False)), workers)
        if whole < size:
            end = np.empty(unit, self.dtype)
            rows = padded(x[whole:], unit), padded(g[whole:], unit)
            self._call(*rows, packed, end, sums[-1])
            gx[whole:] = end[: size - whole]
        for total in sums[1:]:
            sums[0] += total
        return sums[0]

    def _parts(self, size):
        """Slices of a flat batch, which depend on its size alone."""
        unit = max(self._unit, self._samples_of(size) * self.n)
        count = threads(PARTS, is_parallel(2 * self._depth * size))
        return parts(size, unit, count, self._min_summed)

    def _samples_of(self, size):
        """Samples in a tile of a flat batch, an even number."""
        return max(min(self._samples, size // self.n // 2 * 2), 2)

    def _size(self, samples):
        """Elements of the buffers for a tile: inputs of all sweeps, and a gradient."""
        return self._tiles * (samples * self.n + self._skew)

    def _zeros(self, size):
        if size < self._min_aligned:
            return np.zeros(size, self.dtype)
        total = aligned(size, self.dtype)
        total[...] = 0
        return total

    def _call(self, x, g, packed, gx, total):
        if self._is_small:
            self._small(x, g, packed, gx, total, self.n)
            return
        samples = self._samples_of(len(x))
        scratch = self._scratch.take(self._size(samples))
        sizes = samples, self.n, self._levels
        self._large(x, g, packed, gx, total, scratch, sizes)
        self._scratch.give(scratch)
