"""Emission: steps become calls in C functions; `emit` has a rule for each kind.

A step that works in place stays in its buffer. Any other step writes to the next free
buffer, a and b in turn, and the last such step to y.
"""

from functools import singledispatch

from ..passes import is_two_by_two
from ..quantized import steps as integer
from ..steps import (
    Activation,
    Bias,
    Blocks,
    LayerStart,
    Matrix,
    Norm,
    Pairs,
    Pick,
    PointwiseStep,
    ResidualStep,
    Spread,
    Transpose,
)
from .float_pointwise import ACTIVATIONS
from .function import Function
from .integer_functions import SUMS, WIDE_SUMS
from .translation_unit import TranslationUnit, literal

IN_PLACE = LayerStart, Pairs, Bias, Activation, Norm


def emit_network(steps, n_in, element_type, weight_type, *, fixed_bounds=False):
    """The function ``run`` for steps from n_in elements on, in a unit of its own."""
    sizes = (size for step in steps for size in (step.n_in, step.n_out))
    index_type = "uint16_t" if max([n_in, *sizes]) <= 1 << 16 else "uint32_t"
    unit = TranslationUnit(element_type, weight_type, index_type, fixed_bounds)
    run = Function(unit, "run")
    emit_steps(steps, run, n_in)
    return run


def emit_steps(steps, function, n_in):
    """Add the calls for steps to a function of n_in elements."""
    moves = [i for i, step in enumerate(steps) if not _in_place(step)]
    before = steps[: moves[0]] if moves else steps
    buffer = "x"
    if not moves or any(not isinstance(step, LayerStart) for step in before):
        # The first steps work in place, but not in the input, which is read only.
        buffer = "a" if moves else "y"
        function.call(function.unit.helper("copy"), "x", buffer, n_in)
        function.reserve(buffer, n_in)
    for i, step in enumerate(steps):
        target = buffer
        if i in moves:
            target = "y" if i == moves[-1] else "b" if buffer == "a" else "a"
        emit(step, function, buffer, target)
        function.reserve(target, step.n_out)
        buffer = target


def _in_place(step):
    """Whether a step may write where it reads."""
    return is_two_by_two(step) or isinstance(step, IN_PLACE)


@singledispatch
def emit(step, function, x, y):
    """Add the calls for a step, from buffer x to buffer y."""
    raise TypeError(f"no rule for {type(step).__name__}")


def _call_product(step, function, helper, *arguments):
    """Call a helper that integers have with sums of two sizes, and with a shift."""
    unit = function.unit
    if not hasattr(step, "shift"):
        function.call(unit.helper(helper), *arguments)
        return
    sums = WIDE_SUMS if step.wide else SUMS
    unit.helper("saturated", **sums)
    name = unit.helper(helper, **sums) + sums["wide"]
    function.call(name, *arguments, step.shift)


@emit.register
def _(step: Matrix, function, x, y):
    rows, columns = step.weights.shape
    w = function.unit.weights(step.weights, f"matrix, {rows} x {columns}")
    helper = "matrix_wide" if function.unit.fixed_bounds else "matrix"
    _call_product(step, function, helper, w, x, y, rows, columns)


@emit.register
def _(step: Blocks, function, x, y):
    a, b, c, d = step.weights.shape
    unit = function.unit
    w = unit.weights(step.weights, f"{a} x {d} blocks {b} x {c}, strides {d}")
    if is_two_by_two(step) and unit.fixed_bounds:
        unit.helper("butterfly_fixed", a=a, d=d)
        function.call(f"butterfly_{a}_{d}", w, x)
    elif is_two_by_two(step):
        _call_product(step, function, "butterfly", w, x, a, d)
    else:
        _call_product(step, function, "blocks", w, x, y, a, b, c, d)


@emit.register
def _(step: Pairs, function, x, y):
    count, unit = len(step.first), function.unit
    w = unit.weights(step.weights, f"{count} blocks 2 x 2")
    first = unit.table(step.first, f"first coordinates of blocks, stride {step.stride}")
    _call_product(step, function, "pairs", w, first, x, count, step.stride)


@emit.register
def _(step: LayerStart, function, x, y):
    function.line(f"/* {step.layer} */")


@emit.register
def _(step: Spread, function, x, y):
    index = function.unit.table(
        step.index, f"coordinates of the inputs, of {step.n_out}"
    )
    function.call(function.unit.helper("spread"), x, index, y, step.n_in, step.n_out)


@emit.register
def _(step: Pick, function, x, y):
    index = function.unit.table(
        step.index, f"coordinates of the outputs, of {step.n_in}"
    )
    function.call(function.unit.helper("pick"), x, index, y, step.n_out)


@emit.register
def _(step: Transpose, function, x, y):
    function.call(function.unit.helper("transpose"), x, y, step.rows, step.columns)


@emit.register
def _(step: Bias, function, x, y):
    if isinstance(step, integer.Bias):
        function.unit.helper("saturated", **SUMS)
    values = function.unit.constant(step.values, f"bias, {step.n_in}")
    function.call(function.unit.helper("add"), values, x, step.n_in)


@emit.register
def _(step: integer.Scale, function, x, y):
    function.unit.helper("saturated", **SUMS)
    values = function.unit.constant(step.values, f"scales, {step.n_in}")
    function.call(function.unit.helper("scale"), values, x, step.n_in)


@emit.register
def _(step: Activation, function, x, y):
    function.call(function.unit.helper(ACTIVATIONS[step.name]), x, step.n_in)


@emit.register
def _(step: Norm, function, x, y):
    unit, n = function.unit, step.n_in
    scale = unit.constant(step.scale, f"scale, {n}")
    shift = unit.constant(step.shift, f"shift, {n}")
    eps = literal(step.eps, unit.element_type)
    function.call(unit.helper("norm"), scale, shift, eps, x, n)


@emit.register
def _(step: ResidualStep, function, x, y):
    inner = _emit_nested(step.steps, function.unit, step.n_in)
    function.call(inner.name, x, y, "rest")
    function.call(function.unit.helper("add"), x, y, step.n_in)
    function.reserve_nested(max(inner.scratch, 1))  # so that "rest" is defined


@emit.register
def _(step: PointwiseStep, function, x, y):
    n_in, n_out, count = step.steps[0].n_in, step.steps[-1].n_out, step.positions
    inner = _emit_nested(step.steps, function.unit, n_in)
    function.unit.helper("channels")
    result, scratch = f"rest + {n_in}", f"rest + {n_in + n_out}"
    function.line(f"for (int j = 0; j < {count}; j++) {{")
    function.line(f"    channels({x}, rest, {n_in}, {count}, j);")
    function.line(f"    {inner.name}(rest, {result}, {scratch});")
    function.line(f"    back({result}, {y}, {n_out}, {count}, j);")
    function.line("}")
    function.reserve_nested(n_in + n_out + inner.scratch)


def _emit_nested(steps, unit, n_in):
    """A function for the steps inside a step."""
    inner = Function(unit, f"part{len(unit.functions)}")
    unit.functions.append(inner)  # outermost first; the source reverses the order
    emit_steps(steps, inner, n_in)
    return inner
