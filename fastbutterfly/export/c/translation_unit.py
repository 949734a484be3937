"""A C translation unit: what the functions of a source share, and numbers as text."""

from dataclasses import dataclass, field

import numpy as np

REAL = {"float": np.float32, "double": np.float64}
SIZES = {
    "float": 4, "double": 8, "uint16_t": 2, "uint32_t": 4,
    "int8_t": 1, "int16_t": 2, "int32_t": 4,
}  # fmt: skip
LINE_WIDTH = 84


def literal(value, c_type):
    """The text of a number that a C compiler reads back as the same number."""
    if c_type not in REAL:
        return str(int(value))
    text = str(REAL[c_type](value))  # the fewest digits that identify the number
    point = "" if "." in text or "e" in text else ".0"
    return text + point + ("f" if c_type == "float" else "")


def literals(values, c_type, indent="    "):
    """The texts of numbers with commas, in lines of limited width."""
    lines, line = [], ""
    for value in values:
        text = literal(value, c_type)
        if line and len(line) + len(text) + 2 > LINE_WIDTH:
            lines.append(line)
            line = ""
        line += f"{' ' if line else indent}{text},"
    return "\n".join([*lines, line])


@dataclass(frozen=True)
class Constant:
    """A constant array of a source, with a comment above it."""

    name: str
    values: np.ndarray
    c_type: str
    comment: str

    @property
    def text(self):
        """The definition."""
        head = f"static const {self.c_type} {self.name}[{self.values.size}]"
        body = literals(self.values, self.c_type)
        return f"/* {self.comment} */\n{head} = {{\n{body}\n}};\n"


@dataclass
class TranslationUnit:
    """Constants, nested functions and calls of helpers, collected by emission.

    `helpers` maps the name of each called helper to the distinct fields that fill its
    template. `functions` are those of nested steps, outermost first.
    """

    element_type: str
    weight_type: str
    index_type: str
    fixed_bounds: bool = False  # whether loops over blocks have constant bounds
    constants: list = field(default_factory=list)
    helpers: dict = field(default_factory=dict)
    functions: list = field(default_factory=list)

    def constant(self, array, comment, c_type=None):
        """Add a constant array, of elements if no type is given; return its name."""
        name, c_type = f"c{len(self.constants)}", c_type or self.element_type
        values = np.asarray(array).reshape(-1)
        self.constants.append(Constant(name, values, c_type, comment))
        return name

    def weights(self, array, comment):
        """Add an array of weights; return its name."""
        return self.constant(array, comment, self.weight_type)

    def table(self, index, comment):
        """Add an array of indices; return its name."""
        return self.constant(index, comment, self.index_type)

    def helper(self, name, **fields):
        """Let the source define a helper; return the name to call."""
        variants = self.helpers.setdefault(name, [])
        if fields not in variants:
            variants.append(fields)
        return "hyperbolic_tangent" if name == "tanh" else name  # tanh is libm's

    @property
    def flash(self):
        """Bytes of all constants."""
        return sum(c.values.size * SIZES[c.c_type] for c in self.constants)
