"""Mixed: a chain of layers of any patterns, and how its kernels are called."""

from functools import cache, cached_property

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import PARTS, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.block_chain import mixed_columns, mixed_few, mixed_gradient, mixed_rows
from .._kernels.dense_blocks import FOUR
from . import patterns
from .packing import joined, split
from .radix2 import SERIAL, SUMMED
from .selection import End

FEW = 4  # part of a register of rows up to which they are done row by row
NEAR = 1 << 15  # bytes of samples that are worked on together


class Mixed:
    """Patterns, the coordinates used and kept; no weights, no checks.

    As `Plan`, which is for power-of-two butterflies: x (batch, n_in) and g (batch,
    n_out) are C-ordered rows, weights are flat, in the order of `patterns.views`.
    """

    def __init__(self, pattern, *, inputs=None, outputs=None):
        self.pattern, self.inputs, self.outputs = pattern, inputs, outputs
        self.sizes = patterns.n_out(pattern[-1]), patterns.n_in(pattern[0])
        self.n, self.depth = max(self.sizes), len(pattern)
        self.stride = patterns.stride_of(pattern)
        self.n_stored = sum(map(patterns.n_stored, pattern))
        self._out, self._in = map(End, self.sizes, (outputs, inputs))
        self.shape = self._out.count, self._in.count
        ends = [patterns.n_in(layer) for layer in pattern]
        self._largest = max(*ends, self.sizes[0])

    @cached_property
    def n_weights(self):
        """Number of weights on a path from a used input to a kept output."""
        return patterns.effective(self.pattern, self.inputs, self.outputs)

    @cached_property
    def T(self):
        """Of the transpose."""
        back = patterns.transposed(self.pattern)
        return Mixed(back, inputs=self.outputs, outputs=self.inputs)

    def views(self, weights):
        """The blocks of each layer, (a * d, b, c)."""
        return patterns.views(weights, self.pattern)

    def transposed(self, weights):
        """Weights of the transpose."""
        blocks = self.views(weights)[::-1]
        return np.concatenate([layer.swapaxes(1, 2).ravel() for layer in blocks])

    def use(self, batch, dtype, use):
        """What weights are best packed for, given what they are used for."""
        return "gradient" if use == "gradient" else "rows"

    def pack(self, weights, use="rows"):
        """Flat weights as the kernels read them; and those of B^H for "gradient"."""
        ahead = _packed(weights, self.pattern)
        if use != "gradient":
            return ahead
        return ahead, _packed(self.transposed(weights).conj(), self.T.pattern)

    def apply(self, packed, x, *, out=None, workers=None):
        """Return B x for each row x, (batch, n_out); `out` is C-ordered and not x."""
        dtype, batch = x.dtype, len(x)
        u, (n_out, n_in) = register_lanes(dtype), self.sizes
        whole = self.outputs is None and out is not None
        y = out if whole else aligned((batch, n_out), dtype)
        x = self._in.spread(x)
        if batch <= max(u // FEW, 1):
            room = np.empty(2 * self._largest, dtype)
            flat = x.reshape(-1), packed, y.reshape(-1), room
            mixed_few(*flat, self._table, n_in, n_out)
        elif min(batch, n_in, n_out) >= u:
            self._rows(packed, x, y, workers)
        else:
            made = np.empty((max(batch, u), max(n_out, u)), dtype)
            self._rows(packed, _widened(x, max(batch, u), u), made, workers)
            y[...] = made[:batch, :n_out]
        return self._out.pick(y, out)

    def _rows(self, packed, x, y, workers):
        u, most = register_lanes(x.dtype), self._together(x.dtype)

        def work(part):
            rows, made = x[part], y[part]
            count = min(most, len(rows) // u)
            count -= count % 2 if count > 1 else 0
            tile = aligned(2 * max(self._largest, u) * count * u, x.dtype)
            flat = frozen(rows).reshape(-1), packed, made.reshape(-1), tile
            mixed_rows(*flat, self._table, x.shape[1], y.shape[1], count)

        count = self._count(len(x), workers)
        run(work, parts(len(x), most * u, count), workers)

    def takes_columns(self, shape, dtype):
        """Whether `apply_columns` can do it for an array of this shape and dtype."""
        return all(shape) and shape[2] >= register_lanes(dtype)

    def apply_columns(self, packed, x, *, out=None, workers=None):
        """Return B x for each column of x (planes, n_in, columns); `out` is not x."""
        target = out if self.outputs is None else None
        y = self._columns(packed, self._in.spread_columns(x), workers, target)
        return self._out.pick_columns(y, out)

    def _columns(self, packed, x, workers, y=None):
        u, (n_out, n_in) = register_lanes(x.dtype), self.sizes
        planes, _, count = x.shape
        if count < u:
            room = np.zeros((planes, n_in, u), x.dtype)
            room[..., :count] = x
            return self._columns(packed, frozen(room), workers)[..., :count]
        if y is None:
            y = aligned((planes, n_out, count), x.dtype)
        together = self._together(x.dtype)

        def work(part):
            tile = aligned(2 * self._largest * together * u, x.dtype)
            flat = x.reshape(-1), packed, y.reshape(-1), tile, self._table
            sizes = n_in, n_out, count, part.start, part.stop
            mixed_columns(*flat, *sizes, together)

        pieces = parts(count, u, self._count(planes * count, workers))
        run(work, pieces, workers)
        return y

    def one(self, packed):
        """Make the function that returns B x for one vector x."""
        return lambda x: self.apply(packed, x[np.newaxis])[0]

    def vjp(self, packed, x, g, *, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,).

        The batch is cut into parts that depend on its size alone, and their gradients
        are added in order, so the result does not depend on the number of workers.
        """
        n_out, n_in = self.sizes
        u, most, batch = register_lanes(x.dtype), self._together(x.dtype), len(x)
        x, g = self._in.spread(x), self._out.spread(g)
        tile = most * u
        whole = batch - batch % tile if min(n_in, n_out) >= u else 0
        gx = aligned((batch, n_in), x.dtype)
        pieces = parts(whole, tile, self._count(whole, PARTS), SUMMED)
        tasks = [(x[part], g[part], gx[part]) for part in pieces]
        if whole < batch:
            rows = -(-(batch - whole) // tile) * tile
            rest = np.empty((rows, max(n_in, u)), x.dtype)
            ends = _widened(x[whole:], rows, u), _widened(g[whole:], rows, u)
            tasks.append((*ends, rest))
        sums = [np.zeros(len(packed[0]), x.dtype) for _ in tasks]

        def work(numbered):
            total, (x, g, gx) = numbered
            largest = max(self._largest, u)
            scratch = aligned((self.depth + 2) * largest * tile, x.dtype)
            flat = frozen(x).reshape(-1), frozen(g).reshape(-1), *packed
            flat = *flat, gx.reshape(-1), total, scratch, self._table, self.T._table
            mixed_gradient(*flat, x.shape[1], g.shape[1], largest, most)

        run(work, list(zip(sums, tasks, strict=True)), workers)
        if whole < batch:
            gx[whole:] = rest[: batch - whole, :n_in]
        total = sum(sums[1:], start=sums[0]) if sums else np.zeros_like(packed[0])
        return self._in.pick(gx), _unpacked(total, self.pattern)

    @cached_property
    def _table(self):
        """Pattern of each layer, and where its packed weights begin; real ones."""
        starts = np.cumsum([0, *map(patterns.n_stored, self.pattern)])[:-1]
        rows = [(*layer, p) for layer, p in zip(self.pattern, starts, strict=True)]
        return frozen(np.array(rows, np.intp).reshape(-1))

    def _together(self, dtype):
        """Registers of samples in a tile, an even number."""
        size = self._largest * register_lanes(dtype) * dtype.itemsize
        return min(16, max(2, NEAR // size // 2 * 2))

    def _count(self, batch, workers):
        """Parts of a batch: one if threads do not pay."""
        return threads(workers, self.n_stored * batch >= SERIAL)


def _widened(x, rows, u):
    """Rows and at least u columns, zeros where x has nothing."""
    full = np.zeros((rows, max(x.shape[1], u)), x.dtype)
    full[: len(x), : x.shape[1]] = x
    return full


@cache
def _order(b, c):
    """Positions in a block (b, c) of its packed weights: outputs in fours."""
    index, starts = np.arange(b * c).reshape(b, c), [*range(0, b, FOUR)]
    if b % FOUR == 1 and b > 1:
        starts.pop()  # the last are five
    groups = np.split(index, starts[1:])
    return np.concatenate([group.T.ravel() for group in groups])


def _packed(weights, pattern):
    found = []
    for layer in patterns.views(weights, pattern):
        _, b, c = layer.shape
        parts = split(layer.reshape(-1, b * c))[:, :, _order(b, c)]
        found.append(np.moveaxis(parts, 0, -1).ravel())
    return frozen(np.concatenate(found))


def _unpacked(sums, pattern):
    width = 2 if sums.dtype.kind == "c" else 1
    parts, start = sums.reshape(-1, width).T, 0
    weights = np.empty(parts.shape[1], sums.dtype)
    for layer in pattern:
        a, b, c, d = layer
        stop = start + patterns.n_stored(layer)
        ordered = joined(parts[:, start:stop]).reshape(a * d, b * c)
        weights[start:stop].reshape(a * d, b * c)[:, _order(b, c)] = ordered
        start = stop
    return weights
