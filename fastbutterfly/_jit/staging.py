"""Staging: kernels' arithmetic on registers, unrolled while Numba compiles.

1. A function marked `staged` runs while a kernel that calls it is compiled. What it
   computes with registers and indices becomes the kernel's machine code; its own loops
   and branches are gone by then.
2. With NUMBA_DISABLE_JIT=1 the same function runs at every call, on NumPy arrays.

So there is one text for both, and Numba infers types only of the loops around it, not
of thousands of unrolled operations.

A register holds `lanes` neighbouring elements of an array. The width follows the CPU
features that Numba compiles for. Nothing is checked or aligned in compiled code: an
index must leave a whole register inside the array. Interpreted code raises IndexError.
"""

import functools
import inspect

import numba
import numpy as np
from numba import types
from numba.core import cgutils, imputils
from numba.extending import intrinsic

from .registers import (
    Accumulator,
    Array,
    Index,
    InterpretedArray,
    alternate_signs,
    loop,
    many_registers,
    minimum,
    register_lanes,
    swap,
    transpose,
    with_one_lane,
)

__all__ = [
    "INTERPRETED",
    "Accumulator",
    "alternate_signs",
    "lanes",
    "loop",
    "many_registers",
    "minimum",
    "read_only",
    "register_lanes",
    "registers_per_weight",
    "staged",
    "swap",
    "tile_view",
    "transpose",
    "with_one_lane",
]
INTERPRETED = bool(numba.config.DISABLE_JIT)


def _interpreted(value):
    if isinstance(value, tuple):
        return tuple(map(_interpreted, value))
    return InterpretedArray(value) if isinstance(value, np.ndarray) else value


def _emit(function, context, builder, sig, args):
    """Run a staged function on objects that stand for a kernel's values."""

    def wrap(kind, value):
        if isinstance(kind, types.Array):
            data = cgutils.create_struct_proxy(kind)(context, builder, value=value).data
            return Array(builder, data, np.dtype(str(kind.dtype)))
        if isinstance(kind, types.BaseTuple):
            values = cgutils.unpack_tuple(builder, value, len(kind))
            return tuple(map(wrap, kind, values))
        return Index(builder, context.cast(builder, value, kind, types.intp))

    function(*map(wrap, sig.args, args))
    return context.get_dummy_value()


def staged(function):
    """Mark a function that returns nothing; of arrays, indices, and tuples of these."""
    if INTERPRETED:
        return lambda *args: function(*map(_interpreted, args))

    def typed(typing, *args):
        return types.void(*args), functools.partial(_emit, function)

    # Numba reads the number of arguments off the signature.
    first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(function)
    typed.__signature__ = signature.replace(
        parameters=[first, *signature.parameters.values()]
    )
    return intrinsic(typed)


def _constant(of_dtype):
    """Make an intrinsic: an int that depends on an array's dtype, known to LLVM."""

    @intrinsic
    def constant(typing, x):
        value = of_dtype(np.dtype(str(x.dtype)))

        def generate(context, builder, sig, args):
            return context.get_constant(types.intp, value)

        return types.intp(x), generate

    return constant if not INTERPRETED else lambda x: of_dtype(x.dtype)


def _components(dtype):
    return 2 if dtype.kind == "c" else 1


lanes = _constant(register_lanes)
registers_per_weight = _constant(_components)  # see `_kernels/layers.py`


@intrinsic
def tile_view(typing, array, start, row, sample):
    """The tile array[start:]: row r of sample h begins at r * row + h * sample.

    A tuple. Its integers are all of one type, so that all tiles of arrays of one type
    have the same type and may be assigned to one variable.
    """
    kinds = types.Tuple((array, types.intp, types.intp, types.intp))

    def generate(context, builder, sig, args):
        integers = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(args[1:], sig.args[1:], strict=True)
        ]
        view = context.make_tuple(builder, sig.return_type, [args[0], *integers])
        return imputils.impl_ret_borrowed(context, builder, sig.return_type, view)

    return kinds(array, start, row, sample), generate


@intrinsic
def read_only(typing, x):
    """The array x, typed as read-only.

    A tile that is read then has the type of the caller's read-only input, and one
    variable may be either of them.
    """

    def generate(context, builder, sig, args):
        return imputils.impl_ret_borrowed(context, builder, sig.return_type, args[0])

    return x.copy(readonly=True)(x), generate


if INTERPRETED:

    def tile_view(*args):
        return args

    def read_only(x):
        view = x.view()
        view.flags.writeable = False
        return view
