"""Plan: the shape of a power-of-two butterfly, and how its kernels are called."""

from functools import cached_property

import numpy as np

from ._arrays import aligned
from ._square import Square, frozen
from ._truncated import Packed, Truncated

FEW = 16  # samples from which to take advantage of few inputs or outputs


class Plan:
    """Size, order of strides, the coordinates used and kept; no weights, no checks.

    Arrays are C-ordered rows, x (batch, n_in) and g (batch, n_out), of the dtype of the
    weights, which are flat; `packed` is what `pack` makes of them, for "rows", for
    "columns" or for the "gradient". Results do not depend on the number of workers.
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
        self.strides = tuple(strides if self.increasing else strides[::-1])
        self._square = Square(n, self.increasing)
        self._kept = outputs if self.increasing else inputs
        self._truncated = {}  # dtype -> Truncated, or None

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

    def pack(self, weights, use="rows"):
        """Flat weights as the kernels read them, see `Square.pack`; or for "few"."""
        if use == "few":
            return self._few(weights.dtype).pack(weights)
        return self._square.pack(weights, use)

    def use(self, batch, dtype, use):
        """What weights are best packed for, given what they are used for."""
        return "few" if batch >= FEW and self._few(dtype) else use

    def _few(self, dtype):
        """How few inputs or outputs are made use of, None if that does not pay."""
        if self._kept is None:
            return None
        if dtype not in self._truncated:
            found = Truncated(self.n, self.increasing, self._kept, dtype)
            self._truncated[dtype] = found if found.pays else None
        return self._truncated[dtype]

    def apply(self, packed, x, *, out=None, workers=None):
        """Return B x for each row x, (batch, n_out); `out` is C-ordered and not x."""
        if len(x) == 1 and out is None:
            return self.one(packed)(x[0])[np.newaxis]
        if isinstance(packed, Packed):
            far = self.inputs if self.increasing else None
            y = self._few(x.dtype).apply(packed, self._scattered(x, far), workers)
            y = y if self.increasing else self._gathered(y, self.outputs)
            if out is None:
                return y
            out[...] = y
            return out
        whole = self.outputs is None
        y = out if whole and out is not None else aligned((len(x), self.n), x.dtype)
        flat = self._scattered(x, self.inputs).reshape(-1)
        self._square.apply(packed, flat, y.reshape(-1), workers)
        return y if whole else y.take(self.outputs, axis=1, out=out, mode="wrap")

    def takes_columns(self, shape, dtype):
        """Whether `apply_columns` can do it for an array of this shape and dtype."""
        return all(shape) and self._square.takes_columns(shape[2], dtype)

    def apply_columns(self, packed, x, *, out=None, workers=None):
        """Return B x for each column of x (planes, n_in, columns); `out` is not x."""
        planes, _, count = x.shape
        if self.inputs is not None:
            full = np.zeros((planes, self.n, count), x.dtype)
            full[:, self.inputs] = x
            x = full
        whole = self.outputs is None
        y = out if whole else None
        y = aligned((planes, self.n, count), x.dtype) if y is None else y
        flat = frozen(x).reshape(-1), y.reshape(-1)
        self._square.apply_columns(packed, *flat, count, workers)
        return y if whole else y.take(self.outputs, axis=1, out=out, mode="wrap")

    def one(self, packed):
        """Make the function that returns B x for one vector x, with little overhead."""
        square = self._square.one(packed)
        if self.inputs is None and self.outputs is None:
            return square

        def partly(x):
            y = square(self._scattered(x[np.newaxis], self.inputs).reshape(-1))
            return y if self.outputs is None else y[self.outputs]

        return partly

    def vjp(self, packed, x, g, *, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,)."""
        if isinstance(packed, Packed):
            up = self.increasing
            x = self._scattered(x, self.inputs) if up else x
            g = g if up else self._scattered(g, self.outputs)
            gx, gweights = self._few(x.dtype).vjp(packed, x, g, workers)
            return self._gathered(gx, self.inputs) if up else gx, gweights
        flat = (self._scattered(a, i) for a, i in ((x, self.inputs), (g, self.outputs)))
        flat = (a.reshape(-1) for a in flat)
        gx, gweights = self._square.vjp(packed, *flat, workers)
        return self._gathered(gx.reshape(len(x), self.n), self.inputs), gweights

    def _scattered(self, x, index):
        """Rows of all n coordinates, read-only; zeros where x has nothing."""
        if index is not None:
            full = (np.empty if len(index) == self.n else np.zeros)(
                (len(x), self.n), x.dtype
            )
            full[:, index] = x
            x = full
        return frozen(x)

    def _gathered(self, y, index):
        return y if index is None else y.take(index, axis=1)


def _mask(n, kept):
    if kept is None:
        return np.ones(n, bool)
    mask = np.zeros(n, bool)
    mask[kept] = True
    return mask
