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
from llvmlite import ir
from numba import types
from numba.core import cgutils, codegen, imputils
from numba.extending import intrinsic

from ._jit import FASTMATH


def _register_bytes():
    features = numba.config.CPU_FEATURES
    if features is None:
        features = codegen.get_host_cpu_features()
    features = features.split(",")
    return 64 if "+avx512f" in features else 32 if "+avx" in features else 16


REGISTER_BYTES = _register_bytes()
INTERPRETED = bool(numba.config.DISABLE_JIT)


def register_lanes(dtype):
    """Numbers in a register."""
    return REGISTER_BYTES // np.dtype(dtype).itemsize


class _Emitted:
    """A value of the kernel that is being compiled."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value


class _Index(_Emitted):
    """An integer; adds to and multiplies with integers."""

    def _with(self, instruction, other):
        if isinstance(other, int):
            other = _Index(self.builder, ir.Constant(self.value.type, other))
        return _Index(
            self.builder, getattr(self.builder, instruction)(self.value, other.value)
        )

    def __add__(self, other):
        return self._with("add", other)

    def __mul__(self, other):
        return self._with("mul", other)

    __radd__, __rmul__ = __add__, __mul__


def loop(start, stop, step=1):
    """Like range, for staged functions: what is in the loop is emitted once."""
    ends = [start, stop, step]
    emitted = [k for k in ends if isinstance(k, _Index)]
    if not emitted:
        yield from range(start, stop, step)
        return
    builder, kind = emitted[0].builder, emitted[0].value.type
    ends = [k.value if isinstance(k, _Index) else ir.Constant(kind, k) for k in ends]
    with cgutils.for_range_slice(builder, *ends, intp=kind) as (index, _):
        yield _Index(builder, index)


class _Register(_Emitted):
    """One register of real numbers."""

    def _with(self, instruction, other):
        value = getattr(self.builder, instruction)(
            self.value, other.value, flags=tuple(FASTMATH)
        )
        return _Register(self.builder, value)

    def __add__(self, other):
        return self._with("fadd", other)

    def __sub__(self, other):
        return self._with("fsub", other)

    def __mul__(self, other):
        return self._with("fmul", other)

    def __getitem__(self, order):
        numbers = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))
        value = self.builder.shuffle_vector(self.value, self.value, numbers)
        return _Register(self.builder, value)

    def __len__(self):
        return self.value.type.count


class _Array(_Emitted):
    """A contiguous one-dimensional array; `value` points to its first number."""

    def __init__(self, builder, value, dtype):
        super().__init__(builder, value)
        self.dtype, self.lanes = dtype, register_lanes(dtype)
        self.is_complex = dtype.kind == "c"

    def _at(self, i, places):
        i = ir.Constant(ir.IntType(64), i) if isinstance(i, int) else i.value
        pointer = self.builder.gep(self.value, [i])
        real = ir.FloatType() if self.dtype.char in "fF" else ir.DoubleType()
        return self.builder.bitcast(pointer, ir.VectorType(real, places).as_pointer())

    def _read(self, i, places):
        pointer = self._at(i, places)
        align = self.dtype.itemsize // (1 + self.is_complex)
        return _Register(self.builder, self.builder.load(pointer, align=align))

    def load(self, i):
        """Register of self[i : i + lanes]."""
        return self._read(i, self.lanes * (1 + self.is_complex))

    def splat(self, i):
        """Register with self[i] in every lane."""
        places = 1 + self.is_complex
        return self._read(i, places)[[*range(places)] * self.lanes]

    def store(self, i, v):
        """Write self[i : i + lanes] = v."""
        align = self.dtype.itemsize // (1 + self.is_complex)
        self.builder.store(v.value, self._at(i, len(v)), align=align)


class _Slices:
    """What `_Array` is to compiled code, for interpreted code."""

    def __init__(self, array):
        self.array, self.dtype = array, array.dtype
        self.lanes = register_lanes(array.dtype)
        self.is_complex = array.dtype.kind == "c"

    def _at(self, i, count):
        if not 0 <= i <= len(self.array) - count:
            raise IndexError(f"{count} numbers at {i} of an array of {len(self.array)}")
        part = self.array[i : i + count]
        return part.view(part.real.dtype)

    def load(self, i):
        return self._at(i, self.lanes).copy()

    def splat(self, i):
        return np.tile(self._at(i, 1), self.lanes)

    def store(self, i, v):
        self._at(i, self.lanes)[...] = v


def _interpreted(value):
    if isinstance(value, tuple):
        return tuple(map(_interpreted, value))
    return _Slices(value) if isinstance(value, np.ndarray) else value


def swap(v, s):
    """Register whose place i is place i ^ s of v."""
    return v[[i ^ s for i in range(len(v))]]


def _emit(function, context, builder, sig, args):
    """Run a staged function with what stands for a kernel's values."""

    def wrap(kind, value):
        if isinstance(kind, types.Array):
            data = cgutils.create_struct_proxy(kind)(context, builder, value=value).data
            return _Array(builder, data, np.dtype(str(kind.dtype)))
        if isinstance(kind, types.BaseTuple):
            values = cgutils.unpack_tuple(builder, value, len(kind))
            return tuple(map(wrap, kind, values))
        return _Index(builder, context.cast(builder, value, kind, types.intp))

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
