"""A small vector type for kernels: one register of float32 or float64.

`load`, `store`, `splat` and `swap` move registers, `+ - *` compute with them; the width
follows the CPU features that Numba compiles for. No function checks or aligns anything:
an index must leave a whole register inside the array. With NUMBA_DISABLE_JIT=1 the same
names are NumPy slices, which do check.
"""

import operator

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, codegen, imputils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from ._jit import FASTMATH


def _register_bytes():
    features = numba.config.CPU_FEATURES
    if features is None:
        features = codegen.get_host_cpu_features()
    features = features.split(",")
    return 64 if "+avx512f" in features else 32 if "+avx" in features else 16


REGISTER_BYTES = _register_bytes()


def register_lanes(dtype):
    """Numbers in a register, for Python code."""
    return REGISTER_BYTES // np.dtype(dtype).itemsize


class Vec(types.Type):
    """One register of `dtype`."""

    def __init__(self, dtype):
        self.dtype = dtype
        self.lanes = REGISTER_BYTES * 8 // dtype.bitwidth
        super().__init__(f"Vec({dtype}x{self.lanes})")


@register_model(Vec)
class _VecModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        scalar = ir.FloatType() if fe_type.dtype == types.float32 else ir.DoubleType()
        super().__init__(dmm, fe_type, ir.VectorType(scalar, fe_type.lanes))


def _define_operator(op, instruction):
    @infer_global(op)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and isinstance(args[0], Vec) and args[0] == args[1]:
                return signature(args[0], *args)

    @lower_builtin(op, Vec, Vec)
    def _lower(context, builder, sig, args):
        return getattr(builder, instruction)(*args, flags=tuple(FASTMATH))


for _op, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
):
    _define_operator(_op, _instruction)


def _pointer(context, builder, array_type, array, index):
    """Pointer to array[index], of a contiguous one-dimensional array."""
    data = cgutils.create_struct_proxy(array_type)(context, builder, value=array).data
    return builder.gep(data, [index])


def _constants(numbers):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), list(numbers))


def _shuffle(builder, v, numbers):
    """Vector of v's lanes with these numbers."""
    undefined = ir.Constant(v.type, ir.Undefined)
    return builder.shuffle_vector(v, undefined, _constants(numbers))


@intrinsic
def lanes(typing, x):
    """Numbers in a register of x's dtype, a constant in compiled code."""
    count = Vec(x.dtype).lanes

    def generate(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(x), generate


@intrinsic
def frozen(typing, x):
    """The array x, typed as read-only."""

    def generate(context, builder, sig, args):
        return imputils.impl_ret_borrowed(context, builder, sig.return_type, args[0])

    return x.copy(readonly=True)(x), generate


@intrinsic
def load(typing, x, i):
    """Register of x[i : i + lanes]."""
    vec = Vec(x.dtype)

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], *args)
        pointer = builder.bitcast(pointer, context.get_value_type(vec).as_pointer())
        return builder.load(pointer, align=x.dtype.bitwidth // 8)

    return vec(x, i), generate


@intrinsic
def store(typing, x, i, v):
    """Write x[i : i + lanes] = v."""

    def generate(context, builder, sig, args):
        pointer = _pointer(context, builder, sig.args[0], *args[:2])
        pointer = builder.bitcast(pointer, args[2].type.as_pointer())
        builder.store(args[2], pointer, align=x.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(x, i, v), generate


@intrinsic
def splat(typing, x, i):
    """Register with x[i] in every lane."""
    vec = Vec(x.dtype)

    def generate(context, builder, sig, args):
        scalar = builder.load(_pointer(context, builder, sig.args[0], *args))
        v = ir.Constant(context.get_value_type(vec), ir.Undefined)
        v = builder.insert_element(v, scalar, ir.Constant(ir.IntType(32), 0))
        return _shuffle(builder, v, [0] * vec.lanes)

    return vec(x, i), generate


@intrinsic(prefer_literal=True)
def swap(typing, v, s):
    """Register whose lane i is lane i ^ s of v; s a literal power of two."""
    order = [(i ^ s.literal_value) % v.lanes for i in range(v.lanes)]

    def generate(context, builder, sig, args):
        return _shuffle(builder, args[0], order)

    return v(v, s), generate


if numba.config.DISABLE_JIT:

    def lanes(x):
        return register_lanes(x.dtype)

    def frozen(x):
        view = x.view()
        view.flags.writeable = False
        return view

    def load(x, i):
        return _register(x, i).copy()

    def store(x, i, v):
        _register(x, i)[...] = v

    def splat(x, i):
        return np.full(lanes(x), x[i])

    def swap(v, s):
        return v[(np.arange(len(v)) ^ s) % len(v)]

    def _register(x, i):
        if not 0 <= i <= len(x) - lanes(x):
            raise IndexError(f"register at {i} outside an array of {len(x)}")
        return x[i : i + lanes(x)]
