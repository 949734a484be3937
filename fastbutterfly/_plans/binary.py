"""Plan: the shape of a power-of-two butterfly, and how its kernels are called."""

from functools import cached_property, partial

import numpy as np

from .._base.memory import aligned
from . import patterns
from .pruned import Packed, Truncated
from .radix2 import Square
from .selection import End

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
        self._in, self._out = End(n, inputs), End(n, outputs)
        self.shape = self._out.count, self._in.count
        self.increasing = stride == "increasing"
        self.pattern = patterns.mixed((2,) * self.depth, self.increasing)
        self.sizes = n, n
        self._square = Square(n, self.increasing)
        self._kept = outputs if self.increasing else inputs
        self._truncated = {}  # dtype -> Truncated, or None

    def __reduce__(self):  # kernels do not go into a pickle
        ends = {"inputs": self.inputs, "outputs": self.outputs}
        return partial(Plan, stride=self.stride, **ends), (self.n,)

    @cached_property
    def n_weights(self):
        """Number of weights on a path from a used input to a kept output."""
        return patterns.effective(self.pattern, self.inputs, self.outputs)

    @cached_property
    def T(self):
        """Of the transpose."""
        stride = "decreasing" if self.increasing else "increasing"
        return Plan(self.n, stride=stride, inputs=self.outputs, outputs=self.inputs)

    def views(self, weights):
        """The blocks of each layer, (n / 2, 2, 2)."""
        return tuple(weights)

    def transposed(self, weights):
        """Weights of the transpose."""
        return weights[::-1].swapaxes(-1, -2)

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
        whole = self.outputs is None and out is not None
        if isinstance(packed, Packed):
            few = self._few(x.dtype)
            if self.increasing:
                return few.apply(packed, self._in.spread(x), out, workers)
            y = few.apply(packed, x, out if whole else None, workers)
            return self._out.pick(y, out)
        y = out if whole else aligned((len(x), self.n), x.dtype)
        flat = self._in.spread(x).reshape(-1), y.reshape(-1)
        self._square.apply(packed, *flat, workers)
        return self._out.pick(y, out)

    def takes_columns(self, shape, dtype):
        """Whether `apply_columns` can do it for an array of this shape and dtype."""
        return all(shape) and self._square.takes_columns(shape[2], dtype)

    def apply_columns(self, packed, x, *, out=None, workers=None):
        """Return B x for each column of x (planes, n_in, columns); `out` is not x."""
        planes, _, count = x.shape
        x = self._in.spread_columns(x)
        if self.outputs is not None and self._square.is_wide(count, x.dtype):
            if out is None:
                out = aligned((planes, self.shape[0], count), x.dtype)
            self._square.some_columns(packed, x, self.outputs, out, workers)
            return out
        whole = self.outputs is None and out is not None
        y = out if whole else aligned((planes, self.n, count), x.dtype)
        flat = x.reshape(-1), y.reshape(-1)
        self._square.apply_columns(packed, *flat, count, workers)
        return self._out.pick_columns(y, out)

    def one(self, packed):
        """Make the function that returns B x for one vector x, with little overhead."""
        square, n, dtype = self._square.one(packed), self.n, packed.dtype
        inputs, outputs = self.inputs, self.outputs
        if inputs is None and outputs is None:
            return square

        def partly(x):
            if inputs is not None:
                few, x = x, np.zeros(n, dtype)
                x[inputs] = few
            y = square(x)
            return y if outputs is None else y.take(outputs)

        return partly

    def vjp(self, packed, x, g, *, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,)."""
        if isinstance(packed, Packed):
            up = self.increasing
            x = self._in.spread(x) if up else x
            g = g if up else self._out.spread(g)
            gx, gweights = self._few(x.dtype).vjp(packed, x, g, workers)
            return self._in.pick(gx) if up else gx, gweights
        flat = self._in.spread(x).reshape(-1), self._out.spread(g).reshape(-1)
        gx, gweights = self._square.vjp(packed, *flat, workers)
        return self._in.pick(gx.reshape(len(x), self.n)), gweights
