"""Weight order: weights of a power-of-two butterfly as kernels read them, and back."""

from functools import cached_property

import numpy as np

from .._base.memory import aligned, frozen
from .._kernels.gather import gather, scatter
from .packing import fill, joined, order, split

MAX_INDEXED = 1 << 14  # largest size whose positions are kept: 4 bytes a weight


class WeightOrder:
    """Canonical and packed order, for a number of lanes and a schedule of sweeps.

    1. Where a register holds several samples, each sample needs its own copy of the
       weights: the blocks of a layer are repeated.
    2. Complex weights become two real ones (`packing.split`).
    3. The result is permuted, by kept positions, or for a large n view by view.
    """

    def __init__(self, plan, dtype, lanes, schedule):
        self._depth, self._half = plan.depth, plan.n // 2
        self._increasing = plan.increasing
        self._copies = max(lanes // plan.n, 1)
        self._width = 2 if dtype.kind == "c" else 1
        self._lanes, self._schedule = lanes, schedule
        self._is_indexed = plan.n <= MAX_INDEXED

    @cached_property
    def _positions(self):
        """Canonical position of each packed weight."""
        half = self._copies * self._half
        rest = self._increasing, self._lanes, self._schedule
        return order(self._depth, half, self._width, *rest)

    def pack(self, weights):
        """Flat canonical weights in the order of the kernels, read-only."""
        if not self._depth:
            return weights
        blocks = weights.reshape(self._depth, self._half, 2, 2)
        if self._copies > 1:
            blocks = np.tile(blocks, (1, self._copies, 1, 1))
        parts = split(blocks)
        packed = aligned(parts.size, weights.dtype)
        if self._is_indexed:
            gather(frozen(parts).ravel(), self._positions, packed)
        else:
            fill(packed, parts, self._increasing, self._lanes, self._schedule)
        return frozen(packed)

    def unpack(self, sums):
        """Flat canonical gradient from the sums for packed weights."""
        shape = self._width, self._depth, self._copies * self._half, 2, 2
        parts = np.empty(shape, sums.dtype)
        if self._is_indexed:
            scatter(frozen(sums), self._positions, parts.ravel())
        else:
            rest = self._increasing, self._lanes, self._schedule
            fill(sums, parts, *rest, back=True)
        weights = joined(parts)
        if self._copies > 1:
            weights = weights.reshape(self._depth, self._copies, -1).sum(axis=1)
        return weights.ravel()
