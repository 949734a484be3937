"""Plan: the shape of a power-of-two butterfly, and how its kernels are called."""

from functools import cached_property

import numpy as np

from ._kernels.forward import forward_down, forward_up
from ._kernels.gradient import SKEW, gradient_down, gradient_up
from ._packing import packed_order
from ._simd import REGISTER_BYTES, register_lanes
from ._threads import run

SERIAL = 1 << 21  # weights times samples below which a second thread does not pay
PARTS = 16  # most pieces of a batch, and partial sums of a gradient


class Plan:
    """Size, order of strides, the coordinates used and kept; no weights, no checks.

    Arrays are C-ordered rows, x (batch, n_in) and g (batch, n_out), of the dtype of the
    weights, which are flat; `packed` is what `pack` makes of them. Results do not
    depend on the number of workers.
    """

    def __init__(self, n, *, stride="increasing", inputs=None, outputs=None):
        self.n = n
        self.depth = n.bit_length() - 1
        self.stride = stride
        self.inputs = inputs
        self.outputs = outputs
        self.n_stored = 2 * n * self.depth
        self.shape = tuple(
            n if kept is None else len(kept) for kept in (outputs, inputs)
        )
        strides = [1 << level for level in range(self.depth)]
        self.increasing = stride == "increasing"
        self._orders = {}  # lanes -> packed_order
        self.strides = tuple(strides if self.increasing else strides[::-1])

    @cached_property
    def n_weights(self):
        """Number of weights on a path from a used input to a kept output."""
        i = np.arange(self.n)
        reached = [_mask(self.n, self.inputs)]
        for s in self.strides:
            reached.append(reached[-1] | reached[-1][i ^ s])
        count, needed = 0, _mask(self.n, self.outputs)
        for s, live in zip(self.strides[::-1], reached[-2::-1], strict=True):
            count += np.count_nonzero(needed & live)
            count += np.count_nonzero(needed & live[i ^ s])
            needed = needed | needed[i ^ s]
        return int(count)

    def pack(self, weights):
        """Weights in the order in which the kernels read them, read-only."""
        order = self._order(weights.dtype)
        if self.n < self._size(weights.dtype):
            weights = np.append(weights, np.array([0, 1], weights.dtype))
        return _frozen(weights.take(order))

    def unpack(self, packed):
        """Inverse of `pack`, for gradients: the sum where weights are repeated."""
        order = self._order(packed.dtype)
        weights = np.zeros(self.n_stored + 2, packed.dtype)
        if self.n < self._size(packed.dtype):
            np.add.at(weights, order, packed)
        else:
            weights[order] = packed
        return weights[: self.n_stored]

    def _order(self, dtype):
        lanes = register_lanes(dtype)
        if lanes not in self._orders:
            self._orders[lanes] = packed_order(self.n, lanes, self.increasing)
        return self._orders[lanes]

    def apply(self, packed, x, *, workers=None):
        """Return B x for each row x, shape (batch, n_out)."""
        rows = self._rows(x, self.inputs)
        flat, size = rows.reshape(-1), rows.shape[1]
        y = np.empty(rows.shape, x.dtype)
        y_flat = y.reshape(-1)
        forward = forward_up if self.increasing else forward_down

        def work(part):
            tile = np.empty(together * size, x.dtype)
            forward(flat[part], packed, y_flat[part], tile, size)

        together = _together(size * x.itemsize, len(x))
        if self._is_small(len(x)):
            work(slice(None))
        else:
            run(work, _parts(len(flat), size * together, PARTS), workers)
        return self._kept(y, len(x), self.outputs)

    def apply_one(self, packed, x):
        """Return B x for one vector x, with little overhead: y is the tile as well."""
        size = max(self.n, 4 * REGISTER_BYTES // packed.itemsize)
        if self.inputs is not None or self.n != size:
            full = np.zeros(size, packed.dtype)
            full[slice(self.n) if self.inputs is None else self.inputs] = x
            x = full
        y = np.empty(size, packed.dtype)
        forward = forward_up if self.increasing else forward_down
        x = x if x.flags.c_contiguous else x.copy()
        forward(_frozen(x), packed, y, y, size)
        return y[: self.n] if self.outputs is None else y[self.outputs]

    def vjp(self, packed, x, g, *, workers=None):
        """Return the gradients of <g, B x>: (batch, n_in) and flat (n_stored,).

        The batch is cut into parts that depend on its size alone, and their gradients
        are added in order, so the result does not depend on the number of workers.
        """
        x_rows = self._rows(x, self.inputs, even=2)
        x_flat, size = x_rows.reshape(-1), x_rows.shape[1]
        g_flat = self._rows(g, self.outputs, even=2).reshape(-1)
        gx = np.empty(x_rows.shape, x.dtype)
        gx_flat = gx.reshape(-1)
        together = _together(size * x.itemsize, len(gx))
        parts = _parts(len(x_flat), size * together, PARTS, least=8)
        sums = [np.zeros_like(packed) for _ in parts or [slice(0)]]
        tile = size * together + SKEW * register_lanes(x.dtype)
        gradient = gradient_up if self.increasing else gradient_down

        def work(numbered):
            total, part = numbered
            scratch = np.empty(tile * (self.depth // 2 + 3), x.dtype)
            rest = scratch, together, size
            gradient(x_flat[part], g_flat[part], packed, gx_flat[part], total, *rest)

        if self._is_small(len(x)):
            workers = 1
        run(work, list(zip(sums, parts, strict=False)), workers)
        for total in sums[1:]:
            sums[0] += total
        return self._kept(gx, len(x), self.inputs), self.unpack(sums[0])

    def _size(self, dtype):
        """Size of the kernels' samples, at least four registers."""
        return max(self.n, 4 * register_lanes(dtype))

    def _rows(self, x, index, even=1):
        """Whole samples of the kernels' size, read-only; zeros where x has nothing."""
        shape = len(x) + len(x) % even, self._size(x.dtype)
        if x.shape != shape:
            full = np.zeros(shape, x.dtype)
            full[: len(x), slice(self.n) if index is None else index] = x
            x = full
        elif index is not None:
            full = np.empty(shape, x.dtype)
            full[:, index] = x
            x = full
        return _frozen(x)

    def _kept(self, y, batch, index):
        """The coordinates and samples that are wanted, in C order."""
        if index is not None:
            return y[:batch].take(index, axis=1)
        return np.ascontiguousarray(y[:batch, : self.n])

    def _is_small(self, batch):
        return batch * self.n_stored < SERIAL


def _together(row_bytes, samples):
    """Samples in a tile: as many as share a weight without outgrowing the caches."""
    most = 16 if row_bytes <= 1024 else 8 if row_bytes <= 4096 else 4
    return min(most, max(samples, 1))


def _parts(length, tile, most, least=1):
    """Slices of a flat array, at most `most`, of at least `least` whole tiles each."""
    tiles = -(-length // tile)
    step = max(least, -(-tiles // most)) * tile
    return [slice(i, min(i + step, length)) for i in range(0, length, step)]


def _frozen(array):
    view = array.view()
    view.setflags(write=False)
    return view


def _mask(n, kept):
    if kept is None:
        return np.ones(n, bool)
    mask = np.zeros(n, bool)
    mask[kept] = True
    return mask
