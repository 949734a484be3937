"""Truncated: how the kernels of a butterfly with few outputs or inputs are called.

The levels with the largest strides, where few coordinates matter, are replaced by the
products of weights on the paths from those that do (`_paths.py`, `_kernels/fan.py`):
about 2 n log2(l) + 6 n multiply-adds become fewer still for l kept coordinates.
"""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import PARTS, is_parallel, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.butterfly_gradient import SKEW
from .._kernels.gather import gather, scatter
from .._kernels.pruned import (
    truncated_down,
    truncated_gradient_down,
    truncated_gradient_up,
    truncated_up,
    whole_down,
    whole_gradient_down,
    whole_gradient_up,
    whole_up,
)
from .packing import apart, joined, order, split
from .path_products import Paths
from .radix2_gradient import MIN_SUMMED
from .radix2_rows import TILE_BYTES
from .selection import Selection

# (up, down, gradient up, gradient down): without levels, with levels.
KERNELS = (
    (whole_up, whole_down, whole_gradient_up, whole_gradient_down),
    (truncated_up, truncated_down, truncated_gradient_up, truncated_gradient_down),
)
WHOLE = 4  # samples at a time without levels


class Packed(NamedTuple):
    """What `Truncated.pack` makes of weights."""

    weights: np.ndarray  # canonical, flat
    lower: np.ndarray
    fan: np.ndarray
    found: np.ndarray  # of `Paths.products`


class Truncated:
    """Increasing strides and the outputs kept, or decreasing ones and the inputs used.

    For one dtype; `pays` tells whether it beats `Square`. Otherwise as `Square`, but
    for arrays (batch, n) and (batch, kept).
    """

    def __init__(self, n, increasing, kept, dtype):
        self.n, self.depth, self.kept = n, n.bit_length() - 1, np.asarray(kept)
        self.increasing, self.dtype = increasing, dtype
        self.u = u = register_lanes(dtype)
        self.width = 2 if np.dtype(dtype).kind == "c" else 1
        self.inner = u.bit_length() - 1
        most = self.depth - self.inner
        cuts = [c for c in range(most - 1) if c != 1]
        costs = {c: self.inner + c + self._slots(1 << c) / 2 for c in cuts}
        self.levels = min(costs, key=costs.get, default=0)
        self.pays = bool(costs) and costs[self.levels] < 0.8 * self.depth
        self.classes = 1 << self.levels
        self.slots = self._slots(self.classes) if costs else 0
        self._rows = n // u // self.classes
        kernels = KERNELS[self.levels > 0]
        self._kernel, self._gradient = kernels[not increasing :: 2]

    def _cells(self, classes):
        """Class and lane of each kept coordinate, as one number."""
        return self.kept // self.u % classes * self.u + self.kept % self.u

    def _slots(self, classes):
        """Registers for each class."""
        return int(np.bincount(self._cells(classes)).max())

    @cached_property
    def _positions(self):
        """Class, slot and lane of each kept coordinate."""
        cells = self._cells(self.classes)
        order = np.argsort(cells, kind="stable")
        first = np.searchsorted(cells[order], cells[order])
        slot = np.empty_like(cells)
        slot[order] = np.arange(len(cells)) - first
        return cells // self.u, slot, cells % self.u

    @cached_property
    def _few(self):
        """Where each kept coordinate is in a sample's flat slots."""
        q, k, lane = self._positions
        size = self.classes * self.slots * self.u
        return Selection(size, (q * self.slots + k) * self.u + lane)

    @cached_property
    def _paths(self):
        lowest = self.inner + self.levels
        return Paths(self.n, self.kept, lowest, self.increasing)

    @cached_property
    def _order(self):
        """Canonical position of each packed weight of the lower layers."""
        half, sweeps = self.n // 2, apart(self.inner, self.levels)
        rest = self.width, self.increasing, self.u, sweeps
        size = 2 * self.n * (self.inner + self.levels) * self.width
        return order(self.depth, half, *rest, size)

    @cached_property
    def _fan(self):
        """Flat position, among class, row, slot, width, lane, of each path's product.

        One for each part that stands for a weight, path by path.
        """
        q, k, lane = (part[:, np.newaxis] for part in self._positions)
        row = self._paths.ends // self.u // self.classes
        first = (q * self._rows + row) * self.slots + k
        parts = np.arange(self.width)[:, np.newaxis, np.newaxis]
        return (first * self.width + parts) * self.u + lane

    def pack(self, weights):
        """Flat weights as the kernels read them, for `apply` and `vjp`."""
        found = self._paths.products(weights)
        lower = aligned(len(self._order), weights.dtype)
        gather(frozen(split(weights)).reshape(-1), self._order, lower)
        sizes = self.classes, self._rows, self.slots, self.width, self.u
        fan = aligned(math.prod(sizes), weights.dtype)
        fan[...] = 0
        fan[self._fan] = split(self._paths.leaves(found))
        return Packed(weights, frozen(lower), frozen(fan), found)

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x."""
        if self.increasing:
            y = np.zeros((len(x), self._few.size), x.dtype)
        else:
            y = aligned((len(x), self.n), x.dtype) if out is None else out
            x = self._few.spread(x)

        def work(part):
            together = self._together(x[part])
            tile = aligned(together * self.n, x.dtype)
            flat = frozen(x[part]).reshape(-1), packed.lower, packed.fan
            rest = tile, together, *self._sizes()
            self._kernel(*flat, y[part].reshape(-1), *rest)

        run(work, parts(len(x), 2, self._count(len(x), workers)), workers)
        return self._few.pick(y, out) if self.increasing else y

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x> for x and for the flat weights."""
        batch, n, even = len(x), self.n, len(x) + len(x) % 2
        few, many = (g, x) if self.increasing else (x, g)
        few, many = _padded(self._few.spread(few), even), _padded(many, even)
        gmany = aligned((even, n), x.dtype) if self.increasing else None
        gfew = None if self.increasing else np.zeros(few.shape, x.dtype)
        pieces = parts(even, 2, self._count(even, PARTS), MIN_SUMMED)
        sums = [
            [np.zeros(a.shape, a.dtype) for a in (packed.lower, packed.fan)]
            for _ in pieces
        ]

        def work(numbered):
            part, totals = numbered
            together = self._together(many[part])
            scratch = (together * n + SKEW * self.u) * (self.levels // 2 + 2)
            scratch = aligned(scratch, x.dtype)
            tile = aligned((1 if self.increasing else 2) * together * n, x.dtype)
            inputs = frozen(few[part]).reshape(-1), frozen(many[part]).reshape(-1)
            inputs = inputs[::-1] if self.increasing else inputs
            target = (gmany if self.increasing else gfew)[part].reshape(-1)
            rest = target, *totals, tile, scratch, together, *self._sizes()
            self._gradient(*inputs, packed.lower, packed.fan, *rest)

        run(work, list(zip(pieces, sums, strict=True)), workers)
        for totals in sums[1:]:
            for total, more in zip(sums[0], totals, strict=True):
                total += more
        gx = gmany[:batch] if self.increasing else self._few.pick(gfew[:batch])
        return gx, self._unpack(packed, *sums[0])

    def _unpack(self, packed, glower, gfan):
        parts = np.zeros((self.width, len(packed.weights)), glower.dtype)
        scatter(frozen(glower), self._order, parts.reshape(-1))
        gweights, paths = joined(parts), joined(gfan.take(self._fan))
        self._paths.back(packed.weights, packed.found, paths, gweights)
        return gweights

    def _sizes(self):
        return self.n, self.levels, self.classes, self.slots

    def _together(self, x):
        """Samples in a tile, an even number if there are several."""
        if self.levels == 0:
            return min(WHOLE, len(x) + len(x) % 2)
        most = max(4, TILE_BYTES // 2 // (self.n * x.itemsize) // 2 * 2)
        return max(2, min(most, len(x)))

    def _count(self, batch, workers):
        """Parts of a batch: one if threads do not pay."""
        return threads(workers, is_parallel(2 * self.n * self.depth * batch))


def _padded(x, rows):
    """Itself, or with rows of zeros, in C order."""
    if len(x) == rows:
        return x
    full = np.zeros((rows, x.shape[1]), x.dtype)
    full[: len(x)] = x
    return full
