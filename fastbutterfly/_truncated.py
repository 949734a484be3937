"""Truncated: how the kernels of a butterfly with few outputs or inputs are called.

The levels with the largest strides, where few coordinates matter, are replaced by the
products of weights on the paths from those that do (`_paths.py`, `_kernels/fan.py`):
about 2 n log2(l) + 6 n multiply-adds become fewer still for l kept coordinates.
"""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ._arrays import aligned, frozen
from ._kernels.fan import ROWS, SLOTS
from ._kernels.gradient import SKEW
from ._kernels.truncated import (
    truncated_down,
    truncated_gradient_down,
    truncated_gradient_up,
    truncated_up,
)
from ._packing import apart, fill, joined, split
from ._paths import products, products_back, routes
from ._simd import register_lanes
from ._square import CACHE, PARTS, SERIAL, SUMMED
from ._threads import run


class Packed(NamedTuple):
    """What `Truncated.pack` makes of weights."""

    weights: np.ndarray  # canonical, flat
    lower: np.ndarray
    fan: np.ndarray
    found: list  # of `products`


class Truncated:
    """Increasing strides and the outputs kept, or decreasing ones and the inputs used.

    For one dtype; `pays` tells whether it beats `Square`. Otherwise as `Square`, but
    for arrays (batch, n) and (batch, kept).
    """

    def __init__(self, n, increasing, kept, dtype):
        self.n, self.depth, self.kept = n, n.bit_length() - 1, np.asarray(kept)
        self.increasing, self.dtype = increasing, dtype
        self.u = u = register_lanes(dtype)
        self.inner = u.bit_length() - 1
        most = self.depth - self.inner
        cuts = [c for c in range(most - 1) if c != 1]
        costs = {c: self.inner + c + self._slots(1 << c) / 2 for c in cuts}
        self.levels = min(costs, key=costs.get, default=0)
        self.pays = bool(costs) and costs[self.levels] < 0.8 * self.depth
        self.classes = 1 << self.levels
        self.slots = self._slots(self.classes) if costs else 0
        kernels = truncated_gradient_up, truncated_gradient_down
        self._gradient = kernels[not increasing]

    def _cells(self, classes):
        """Class and lane of each kept coordinate, as one number."""
        return self.kept // self.u % classes * self.u + self.kept % self.u

    def _slots(self, classes):
        """Registers for each class, an even number."""
        most = int(np.bincount(self._cells(classes)).max())
        return most + most % SLOTS

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
    def _columns(self):
        """Where each kept coordinate is in a sample's flat slots."""
        q, k, lane = self._positions
        return (q * self.slots + k) * self.u + lane

    @cached_property
    def _routes(self):
        lowest = self.inner + self.levels
        return routes(self.n, self.kept, lowest, self.increasing)

    def pack(self, weights):
        """Flat weights as the kernels read them, for `apply` and `vjp`."""
        found = products(weights, self._routes[1])
        width = 2 if weights.dtype.kind == "c" else 1
        lower = 2 * self.n * (self.inner + self.levels) * width
        lower = aligned(lower, weights.dtype)
        parts = split(weights.reshape(self.depth, self.n // 2, 2, 2))
        fill(lower, parts, self.increasing, self.u, self._sweeps())
        c = aligned(width * math.prod(self._shape()), weights.dtype)
        c[...] = 0
        self._fans(c, width)[self._index] = np.moveaxis(split(found[-1]), 0, -1)
        return Packed(weights, frozen(lower), frozen(c), found)

    def _sweeps(self):
        return apart(self.inner, self.levels)

    def _shape(self):
        """Of the products of weights: class, slot, row, lane."""
        rows = self.n // self.u // self.classes
        return self.classes, self.slots, rows, self.u

    def _fans(self, c, width):
        """View of the flat products of weights, with the axes of `_index`."""
        classes, slots, rows, u = self._shape()
        c = c.reshape(classes, slots // SLOTS, rows // ROWS, SLOTS, ROWS, width, u)
        return c.transpose(0, 1, 3, 2, 4, 5, 6)  # class, pair, slot, four, row, ...

    @cached_property
    def _index(self):
        """Class, pair and slot, four and row, lane of each product of weights."""
        q, k, lane = (part[:, np.newaxis] for part in self._positions)
        row = self._routes[0] // self.u // self.classes
        return q, k // SLOTS, k % SLOTS, row // ROWS, row % ROWS, slice(None), lane

    def apply(self, packed, x, workers=None):
        """Return B x for each row x."""
        columns, n = self._columns, self.n
        slots = np.zeros((len(x), self.classes * self.slots * self.u), x.dtype)
        y = slots if self.increasing else aligned((len(x), n), x.dtype)
        if not self.increasing:
            slots[:, columns] = x
            x = frozen(slots)
        kernel = truncated_up if self.increasing else truncated_down

        def work(part):
            tile = aligned(self._together(x[part]) * n, x.dtype)
            flat = frozen(x[part]).reshape(-1), packed.lower, packed.fan
            kernel(*flat, y[part].reshape(-1), tile, *self._sizes())

        least = len(x) if workers == 1 else 2
        run(work, self._parts(len(x), least), workers)
        return y.take(columns, axis=1) if self.increasing else y

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x> for x and for the flat weights."""
        batch, columns, n = len(x), self._columns, self.n
        even = batch + batch % 2
        few = np.zeros((even, self.classes * self.slots * self.u), x.dtype)
        few[:batch, columns] = g if self.increasing else x
        many = _padded(x if self.increasing else g, even)
        gmany = aligned((even, n), x.dtype) if self.increasing else None
        gfew = None if self.increasing else np.zeros(few.shape, x.dtype)
        parts = self._parts(even, SUMMED)
        sums = [
            [np.zeros(a.shape, a.dtype) for a in (packed.lower, packed.fan)]
            for _ in parts
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
            rest = target, *totals, tile, scratch, *self._sizes()
            self._gradient(*inputs, packed.lower, packed.fan, *rest)

        run(work, list(zip(parts, sums, strict=True)), workers)
        for totals in sums[1:]:
            for total, more in zip(sums[0], totals, strict=True):
                total += more
        gx = gmany[:batch] if self.increasing else gfew[:batch].take(columns, axis=1)
        return gx, self._unpack(packed, *sums[0])

    def _unpack(self, packed, glower, gfan):
        width = 2 if glower.dtype.kind == "c" else 1
        parts = np.zeros((width, self.depth, self.n // 2, 2, 2), glower.dtype)
        fill(glower, parts, self.increasing, self.u, self._sweeps(), back=True)
        paths = np.moveaxis(self._fans(gfan, width)[self._index], -1, 0)
        rest = self._routes[1], packed.found, joined(paths)
        return products_back(packed.weights, *rest) + joined(parts).reshape(-1)

    def _sizes(self):
        return self.n, self.levels, self.classes, self.slots // SLOTS

    def _together(self, x):
        """Samples in a tile, an even number if there are several."""
        most = max(4, CACHE // 2 // (self.n * x.itemsize) // 2 * 2)
        return max(2, min(most, len(x)))

    def _parts(self, batch, least=2):
        """Slices of an even number of samples each but the last, by size alone."""
        if 2 * self.n * self.depth * batch < SERIAL:
            least = batch
        step = max(least, -(-batch // PARTS), 2)
        step += step % 2
        return [slice(i, min(i + step, batch)) for i in range(0, max(batch, 1), step)]


def _padded(x, rows):
    """Itself, or with rows of zeros, in C order."""
    if len(x) == rows:
        return x
    full = np.zeros((rows, x.shape[1]), x.dtype)
    full[: len(x)] = x
    return full
