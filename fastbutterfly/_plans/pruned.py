"""Pruned plan: how the kernels of a butterfly with few outputs or inputs are called.

1. Each kept coordinate of the output, or used one of the input, gets a class, a slot
   and a lane (`_kernels/pruned_layers.py`); each further one with the same class and
   lane needs another slot.
2. `levels` is chosen, those below the products on paths: more levels are more work for
   all rows, fewer need more slots. What costs least decides, and whether it is faster
   than all layers.
3. `pack` gathers the weights of the lower layers and multiplies those on paths.
4. `apply` and `vjp` spread the coordinates over slots, or pick them from there, around
   one kernel call for each part of the batch.

About 2 n log2(l) + 6 n multiply-adds become fewer still for l kept coordinates.
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
    pruned_inputs,
    pruned_inputs_gradient,
    pruned_outputs,
    pruned_outputs_gradient,
)
from .._kernels.schedule import gradient_schedule
from .packing import joined, order, split
from .path_products import Paths
from .radix2_gradient import MIN_SUMMED
from .radix2_rows import TILE_BYTES
from .selection import Selection

UNTILED = 4  # samples at a time without levels, where no tile is to stay in the cache
MAX_COST = 0.8  # of all layers; the margin is for spreading and picking coordinates


class Packed(NamedTuple):
    """Packed weights of a `PrunedPlan`."""

    weights: np.ndarray  # canonical, flat
    lower: np.ndarray
    paths: np.ndarray
    trees: np.ndarray  # of `Paths.products`


class PrunedPlan:
    """Increasing strides and the outputs kept, or decreasing ones and the inputs used.

    For one dtype; `is_faster` tells whether it beats `Radix2Rows` and
    `Radix2Gradient`. Arrays are (batch, n) and (batch, kept).
    """

    def __init__(self, n, increasing, kept, dtype):
        self.n, self.depth, self.kept = n, n.bit_length() - 1, np.asarray(kept)
        self.increasing, self.dtype = increasing, dtype
        self.u = u = register_lanes(dtype)
        self.width = 2 if np.dtype(dtype).kind == "c" else 1
        self.inner = u.bit_length() - 1
        # At least two levels by paths, for the kernels take four rows of a class; and
        # one level alone has no sweep. A slot costs a product for each row, half of
        # what a layer does.
        choices = [k for k in range(self.depth - self.inner - 1) if k != 1]
        costs = {k: self.inner + k + self._slots(1 << k) / 2 for k in choices}
        self.levels = min(costs, key=costs.get, default=0)
        self.is_faster = bool(costs) and costs[self.levels] < MAX_COST * self.depth
        self.classes = 1 << self.levels
        self.slots = self._slots(self.classes) if costs else 0
        self._rows = n // u // self.classes
        self._kernel = pruned_outputs if increasing else pruned_inputs
        self._gradient = (
            pruned_outputs_gradient if increasing else pruned_inputs_gradient
        )

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
    def _compact(self):
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
        schedule = gradient_schedule(self.inner, self.levels)
        layout = self.width, self.increasing, self.u, schedule
        size = 2 * self.n * (self.inner + self.levels) * self.width
        return order(self.depth, self.n // 2, *layout, size)

    @cached_property
    def _path_positions(self):
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
        trees = self._paths.products(weights)
        lower = aligned(len(self._order), weights.dtype)
        gather(frozen(split(weights)).reshape(-1), self._order, lower)
        sizes = self.classes, self._rows, self.slots, self.width, self.u
        paths = aligned(math.prod(sizes), weights.dtype)
        paths[...] = 0
        paths[self._path_positions] = split(self._paths.leaves(trees))
        return Packed(weights, frozen(lower), frozen(paths), trees)

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x."""
        if self.increasing:
            y = np.zeros((len(x), self._compact.size), x.dtype)
        else:
            y = aligned((len(x), self.n), x.dtype) if out is None else out
            x = self._compact.spread(x)

        def work(part):
            samples, target = frozen(x[part]).reshape(-1), y[part].reshape(-1)
            in_tile = self._samples_per_tile(len(x[part]), x.itemsize)
            tile = aligned(in_tile * self.n, x.dtype) if self.levels else None
            weights = packed.lower, packed.paths
            self._kernel(samples, weights, target, tile, self._sizes(in_tile))

        run(work, parts(len(x), 2, self._count(len(x), workers)), workers)
        return self._compact.pick(y, out) if self.increasing else y

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x> for x and for the flat weights."""
        batch, n, even = len(x), self.n, len(x) + len(x) % 2
        compact, full = (g, x) if self.increasing else (x, g)
        compact, full = (
            _padded(self._compact.spread(compact), even),
            _padded(full, even),
        )
        if self.increasing:
            target = aligned((even, n), x.dtype)
        else:
            target = np.zeros(compact.shape, x.dtype)
        pieces = parts(even, 2, self._count(even, PARTS), MIN_SUMMED)
        sums = [
            tuple(np.zeros(a.shape, a.dtype) for a in (packed.lower, packed.paths))
            for _ in pieces
        ]

        def work(task):
            part, totals = task
            ends = frozen(compact[part]).reshape(-1), frozen(full[part]).reshape(-1)
            ends = ends[::-1] if self.increasing else ends
            in_tile = self._samples_per_tile(len(full[part]), x.itemsize)
            room, sizes = self._room(in_tile, x.dtype), self._sizes(in_tile)
            weights, out = (packed.lower, packed.paths), target[part].reshape(-1)
            self._gradient(*ends, weights, out, totals, room, sizes)

        run(work, list(zip(pieces, sums, strict=True)), workers)
        for totals in sums[1:]:
            for total, more in zip(sums[0], totals, strict=True):
                total += more
        target = target[:batch]
        gx = target if self.increasing else self._compact.pick(target)
        return gx, self._unpack(packed, *sums[0])

    def _room(self, in_tile, dtype):
        """Room for the gradient of a tile: the tile, or two of them, and scratch."""
        if self.levels == 0:
            return None
        tiles = 1 if self.increasing else 2
        sweeps = self.levels // 2 + 2  # and the gradient
        scratch = (in_tile * self.n + SKEW * self.u) * sweeps
        return aligned(tiles * in_tile * self.n, dtype), aligned(scratch, dtype)

    def _unpack(self, packed, glower, gpaths):
        parts = np.zeros((self.width, len(packed.weights)), glower.dtype)
        scatter(frozen(glower), self._order, parts.reshape(-1))
        gweights, leaves = joined(parts), joined(gpaths.take(self._path_positions))
        self._paths.back(packed.weights, packed.trees, leaves, gweights)
        return gweights

    def _sizes(self, in_tile):
        """What kernels take as sizes."""
        return self.n, self.levels, self.classes, self.slots, in_tile

    def _samples_per_tile(self, batch, itemsize):
        """An even number if there are several."""
        if self.levels == 0:
            return min(UNTILED, batch + batch % 2)
        most = max(4, TILE_BYTES // 2 // (self.n * itemsize) // 2 * 2)
        return max(2, min(most, batch))

    def _count(self, batch, workers):
        """Parts of a batch: 1 below the parallel threshold."""
        return threads(workers, is_parallel(2 * self.n * self.depth * batch))


def _padded(x, rows):
    """x, with rows of zeros behind it if it has fewer, in C order."""
    if len(x) == rows:
        return x
    full = np.zeros((rows, x.shape[1]), x.dtype)
    full[: len(x)] = x
    return full
