"""Registers for kernels: arithmetic that is unrolled while Numba compiles.

A function marked `staged` runs when a kernel that calls it is compiled, and what it
computes with (registers, indices) becomes the kernel's machine code; its own loops and
branches are gone by then. With NUMBA_DISABLE_JIT=1 the same function runs at every
call, on NumPy arrays. So there is one text for both, and Numba infers types only of the
loops around it.

A register holds `lanes` neighbouring numbers of an array; a complex number counts as
one but fills two places. The width follows the CPU features that Numba compiles for.
Nothing is checked or aligned in compiled code: an index must leave a whole register
inside the array. Interpreted code raises IndexError.
"""

import functools
import inspect

import numba
import numpy as np
from numba import types
from numba.core import cgutils, imputils
from numba.extending import intrinsic

from .registers import (
    Array,
    Index,
    Slices,
    Sum,
    alternated,
    least,
    loop,
    many_registers,
    narrowed,
    register_lanes,
    swap,
    transposed,
)

__all__ = [
    "INTERPRETED",
    "Sum",
    "alternated",
    "frozen",
    "lanes",
    "least",
    "loop",
    "many_registers",
    "narrowed",
    "place",
    "register_lanes",
    "staged",
    "swap",
    "transposed",
    "width",
]
INTERPRETED = bool(numba.config.DISABLE_JIT)


def _interpreted(value):
    if isinstance(value, tuple):
        return tuple(map(_interpreted, value))
    return Slices(value) if isinstance(value, np.ndarray) else value


def _emit(function, context, builder, sig, args):
    """Run a staged function with what stands for a kernel's values."""

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

    first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(function)
    typed.__signature__ = signature.replace(
        parameters=[first, *signature.parameters.values()]
    )
    return intrinsic(typed)


def _constant(of_dtype):
    """Make an intrinsic: an int that the dtype of an array tells."""

    @intrinsic
    def constant(typing, x):
        number = of_dtype(np.dtype(str(x.dtype)))

        def generate(context, builder, sig, args):
            return context.get_constant(types.intp, number)

        return types.intp(x), generate

    return constant if not INTERPRETED else lambda x: of_dtype(x.dtype)


def _places(dtype):
    return 2 if dtype.kind == "c" else 1


lanes = _constant(register_lanes)  # numbers in a register
width = _constant(_places)  # registers of weights for one of numbers


@intrinsic
def place(typing, array, start, row, sample):
    """Where a tile lies: array[start + r * row + h * sample :] is row r of sample h."""
    kinds = types.Tuple((array, types.intp, types.intp, types.intp))

    def generate(context, builder, sig, args):
        numbers = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(args[1:], sig.args[1:], strict=True)
        ]
        found = context.make_tuple(builder, sig.return_type, [args[0], *numbers])
        return imputils.impl_ret_borrowed(context, builder, sig.return_type, found)

    return kinds(array, start, row, sample), generate


@intrinsic
def frozen(typing, x):
    """The array x, typed as read-only."""

    def generate(context, builder, sig, args):
        return imputils.impl_ret_borrowed(context, builder, sig.return_type, args[0])

    return x.copy(readonly=True)(x), generate


if INTERPRETED:

    def place(*args):
        return args

    def frozen(x):
        view = x.view()
        view.flags.writeable = False
        return view
