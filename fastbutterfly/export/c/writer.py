"""Writer: steps become the body of a C function, its constants and its scratch.

Numbers are in one of the places x (the input, read only), a, b (scratch) and y (the
output). A step that works in place stays there; another goes on to the next free place,
the last one of them to y.
"""

from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np

from .. import steps as step
from ..quantized import steps as integer
from .float_functions import CALLS
from .integer_functions import SUMS, WIDE_SUMS

IN_PLACE = step.Mark, step.Pairs, step.Bias, step.Activation, step.Norm


def in_place(one):
    """Whether a step may write where it reads."""
    two_by_two = isinstance(one, step.Blocks) and one.weights.shape[1:3] == (2, 2)
    return two_by_two or isinstance(one, IN_PLACE)


@dataclass
class Code:
    """What all functions of a file share: constants, and which helpers are called."""

    index: str  # type of tables
    literal: object  # number -> text
    kind: str  # type of numbers
    weights: str  # type of weights
    fixed: bool = False  # whether loops have constant bounds
    constants: list = field(default_factory=list)
    used: dict = field(default_factory=dict)  # template -> what it is filled with
    parts: list = field(default_factory=list)

    def constant(self, array, comment, kind=None):
        """Name of a new constant array."""
        name, kind = f"c{len(self.constants)}", kind or self.kind
        flat = np.asarray(array).reshape(-1)
        self.constants.append((name, flat, comment, kind))
        return name

    @property
    def flash(self):
        """Bytes of all constants."""
        return sum(flat.size * SIZES[kind] for _, flat, _, kind in self.constants)

    def definition(self, name, flat, comment, kind):
        """The text of a constant array."""
        texts = [self.literal(v) if kind in REAL else str(int(v)) for v in flat]
        head = f"static const {kind} {name}[{flat.size}]"
        return f"/* {comment} */\n{head} = {{\n{wrapped(texts)}\n}};\n"

    def table(self, index, comment):
        """Name of a new table of indices."""
        return self.constant(index, comment, self.index)

    def call(self, name, **sizes):
        """Name of a helper, which is then part of the file."""
        self.used.setdefault(name, []).append(sizes)
        return "hyperbolic_tangent" if name == "tanh" else name


REAL = "float", "double"
SIZES = {
    "float": 4, "double": 8, "uint16_t": 2, "uint32_t": 4,
    "int8_t": 1, "int16_t": 2, "int32_t": 4,
}  # fmt: skip


def wrapped(texts, indent="    ", width=84):
    """Texts with commas, in lines of at most so many characters."""
    lines, line = [], ""
    for text in texts:
        if line and len(line) + len(text) + 2 > width:
            lines.append(line)
            line = ""
        line += f"{' ' if line else indent}{text},"
    return "\n".join([*lines, line])


class Function:
    """One C function `void name(x, y, scratch)` for steps; `scratch` numbers."""

    def __init__(self, code, name, steps, n):
        self.code, self.name, self.lines = code, name, []
        moves = [i for i, one in enumerate(steps) if not in_place(one)]
        place, sizes, self.inner = "x", {"a": 0, "b": 0}, 0
        if not moves or any(not isinstance(s, step.Mark) for s in steps[: moves[0]]):
            target = "a" if moves else "y"
            self._add(code.call("copy"), "x", target, n)
            place = target
            sizes[place] = n
        for i, one in enumerate(steps):
            target = place
            if i in moves:
                target = "y" if i == moves[-1] else "b" if place == "a" else "a"
            self.emit(one, place, target)
            place = target
            sizes[place] = max(sizes.get(place, 0), one.n_out)
        self.a, self.b = sizes["a"], sizes["b"]
        self.scratch = self.a + self.b + self.inner

    def _add(self, function, *arguments):
        self.lines.append(f"    {function}({', '.join(map(str, arguments))});")

    @property
    def text(self):
        """The function's definition."""
        kind, body = self.code.kind, []
        head = f"static void {self.name}(const {kind} *x, {kind} *y, {kind} *scratch)"
        body = "\n".join(self.lines)
        places = []
        for name, size, start in (("a", self.a, 0), ("b", self.b, self.a)):
            if size:
                places.append(f"    {kind} *const {name} = scratch + {start};")
        if self.inner:
            start = self.a + self.b
            places.append(f"    {kind} *const rest = scratch + {start};")
        if not places:
            places.append("    (void)scratch;")
        places = "\n".join(places)
        return f"{head}\n{{\n{places}\n\n{body}\n}}\n"

    @singledispatchmethod
    def emit(self, one, x, y):
        """Emit the calls for a step, from place x to y."""
        raise TypeError(f"no rule for {type(one).__name__}")

    def _linear(self, helper, one, *arguments):
        """A call of a helper that integers have with sums of two sizes, and a shift."""
        if not hasattr(one, "shift"):
            self._add(self.code.call(helper), *arguments)
            return
        sums = WIDE_SUMS if one.wide else SUMS
        self.code.call("saturated", **sums)
        name = self.code.call(helper, **sums) + sums["wide"]
        self._add(name, *arguments, one.shift)

    def _weights(self, one, comment):
        return self.code.constant(one.weights, comment, self.code.weights)

    @emit.register
    def _(self, one: step.Matrix, x, y):
        rows, columns = one.weights.shape
        w = self._weights(one, f"matrix, {rows} x {columns}")
        helper = "matrix_wide" if self.code.fixed else "matrix"
        self._linear(helper, one, w, x, y, rows, columns)

    @emit.register
    def _(self, one: step.Blocks, x, y):
        a, b, c, d = one.weights.shape
        w = self._weights(one, f"{a} x {d} blocks {b} x {c}, strides {d}")
        if in_place(one) and self.code.fixed:
            self.code.call("butterfly_fixed", a=a, d=d)
            self._add(f"butterfly_{a}_{d}", w, x)
        elif in_place(one):
            self._linear("butterfly", one, w, x, a, d)
        else:
            self._linear("blocks", one, w, x, y, a, b, c, d)

    @emit.register
    def _(self, one: step.Pairs, x, y):
        count = len(one.first)
        w = self._weights(one, f"{count} blocks 2 x 2")
        first = self.code.table(one.first, f"where they begin, stride {one.apart}")
        self._linear("pairs", one, w, first, x, count, one.apart)

    @emit.register
    def _(self, one: step.Mark, x, y):
        self.lines.append(f"    /* {one.layer} */")

    @emit.register
    def _(self, one: step.Spread, x, y):
        index = self.code.table(one.index, f"where inputs go, of {one.n_out}")
        self._add(self.code.call("spread"), x, index, y, one.n_in, one.n_out)

    @emit.register
    def _(self, one: step.Pick, x, y):
        index = self.code.table(one.index, f"what is kept, of {one.n_in}")
        self._add(self.code.call("pick"), x, index, y, one.n_out)

    @emit.register
    def _(self, one: step.Transpose, x, y):
        self._add(self.code.call("transpose"), x, y, one.rows, one.columns)

    @emit.register
    def _(self, one: step.Bias, x, y):
        if isinstance(one, integer.Bias):
            self.code.call("saturated", **SUMS)
        values = self.code.constant(one.values, f"bias, {one.n_in}")
        self._add(self.code.call("add"), values, x, one.n_in)

    @emit.register
    def _(self, one: integer.Scale, x, y):
        self.code.call("saturated", **SUMS)
        values = self.code.constant(one.values, f"scales, {one.n_in}")
        self._add(self.code.call("scale"), values, x, one.n_in)

    @emit.register
    def _(self, one: step.Activation, x, y):
        self._add(self.code.call(CALLS[one.name]), x, one.n_in)

    @emit.register
    def _(self, one: step.Norm, x, y):
        scale = self.code.constant(one.scale, f"scale, {one.n_in}")
        shift = self.code.constant(one.shift, f"shift, {one.n_in}")
        eps = self.code.literal(one.eps)
        self._add(self.code.call("norm"), scale, shift, eps, x, one.n_in)

    @emit.register
    def _(self, one: step.Added, x, y):
        inner = self._part(one.steps, one.n_in)
        self._add(inner.name, x, y, "rest")
        self._add(self.code.call("add"), x, y, one.n_in)
        self.inner = max(self.inner, inner.scratch, 1)

    @emit.register
    def _(self, one: step.Everywhere, x, y):
        n_in, n_out = one.steps[0].n_in, one.steps[-1].n_out
        inner, count = self._part(one.steps, n_in), one.positions
        self.code.call("channels")
        room = f"rest + {n_in}", f"rest + {n_in + n_out}"
        self.lines.append(f"    for (int j = 0; j < {count}; j++) {{")
        for call in (
            f"channels({x}, rest, {n_in}, {count}, j)",
            f"{inner.name}(rest, {', '.join(room)})",
            f"back({room[0]}, {y}, {n_out}, {count}, j)",
        ):
            self.lines.append(f"        {call};")
        self.lines.append("    }")
        self.inner = max(self.inner, n_in + n_out + inner.scratch)

    def _part(self, steps, n):
        name = f"part{len(self.code.parts)}"
        self.code.parts.append(None)
        at = len(self.code.parts) - 1
        inner = Function(self.code, name, steps, n)
        self.code.parts[at] = inner
        return inner
