"""Registers: the values that staged functions compute with, see `staging.py`.

1. While Numba compiles, an `Index`, `Register` or `Array` wraps an LLVM value, and each
   operation on it appends one instruction to the kernel.
2. In interpreted code an index is an int, a register a NumPy array of real numbers, and
   an `InterpretedArray` checks every access.

A register has `lanes` elements. A complex element is two components, its real and its
imaginary part side by side; of a real one there is one.
"""

from copy import copy

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, codegen

from .options import FASTMATH


def _register_bytes():
    """Width of the registers of the CPU that Numba compiles for."""
    features = numba.config.CPU_FEATURES
    if features is None:
        features = codegen.get_host_cpu_features()
    features = features.split(",")
    return 64 if "+avx512f" in features else 32 if "+avx" in features else 16


REGISTER_BYTES = _register_bytes()
many_registers = REGISTER_BYTES == 64  # AVX-512 has 32 registers, other CPUs 16


def register_lanes(dtype):
    """Elements in a register."""
    return REGISTER_BYTES // np.dtype(dtype).itemsize


class Emitted:
    """A value of the kernel that is being compiled."""

    def __init__(self, builder, value):
        self.builder, self.value = builder, value


class Index(Emitted):
    """An integer; adds to and multiplies with integers."""

    def _with(self, instruction, other):
        if isinstance(other, int):
            other = Index(self.builder, ir.Constant(self.value.type, other))
        return Index(
            self.builder, getattr(self.builder, instruction)(self.value, other.value)
        )

    def __add__(self, other):
        return self._with("add", other)

    def __mul__(self, other):
        return self._with("mul", other)

    __radd__, __rmul__ = __add__, __mul__


def minimum(a, b):
    """The lesser of two indices."""
    if not isinstance(a, Index):
        return min(a, b)
    is_less = a.builder.icmp_signed("<", a.value, b.value)
    return Index(a.builder, a.builder.select(is_less, a.value, b.value))


def loop(start, stop, step=1):
    """Like range, for staged functions: what is in the loop is emitted once."""
    bounds = [start, stop, step]
    emitted = [k for k in bounds if isinstance(k, Index)]
    if not emitted:
        yield from range(start, stop, step)
        return
    builder, kind = emitted[0].builder, emitted[0].value.type
    bounds = [k.value if isinstance(k, Index) else ir.Constant(kind, k) for k in bounds]
    with cgutils.for_range_slice(builder, *bounds, intp=kind) as (index, _):
        yield Index(builder, index)


class Register(Emitted):
    """One register of real components."""

    def _with(self, instruction, other):
        # The decorator's fastmath flags reach only what Numba emits itself.
        value = getattr(self.builder, instruction)(
            self.value, other.value, flags=tuple(FASTMATH)
        )
        return Register(self.builder, value)

    def __add__(self, other):
        return self._with("fadd", other)

    def __sub__(self, other):
        return self._with("fsub", other)

    def __mul__(self, other):
        return self._with("fmul", other)

    def __getitem__(self, order):
        return _shuffle(self, self, order)

    def __len__(self):
        return self.value.type.count


class Array(Emitted):
    """A contiguous one-dimensional array; `value` points to its first element."""

    def __init__(self, builder, value, dtype):
        super().__init__(builder, value)
        self.dtype, self.lanes = dtype, register_lanes(dtype)
        self.is_complex = dtype.kind == "c"

    def _pointer(self, i, components):
        """Pointer to self[i], as one to so many components."""
        i = ir.Constant(ir.IntType(64), i) if isinstance(i, int) else i.value
        pointer = self.builder.gep(self.value, [i])
        real = ir.FloatType() if self.dtype.char in "fF" else ir.DoubleType()
        vector = ir.VectorType(real, components)
        return self.builder.bitcast(pointer, vector.as_pointer())

    @property
    def _alignment(self):
        # That of a component: arrays of users begin anywhere, and an instruction for
        # aligned memory would fault there. Where memory is aligned, both are as fast.
        return self.dtype.itemsize // (1 + self.is_complex)

    def _read(self, i, components):
        pointer = self._pointer(i, components)
        value = self.builder.load(pointer, align=self._alignment)
        return Register(self.builder, value)

    def load(self, i):
        """Register of self[i : i + lanes]."""
        return self._read(i, self.lanes * (1 + self.is_complex))

    def splat(self, i):
        """Register with self[i] in every lane."""
        components = 1 + self.is_complex
        return self._read(i, components)[[*range(components)] * self.lanes]

    def store(self, i, v):
        """Write self[i : i + lanes] = v."""
        pointer = self._pointer(i, len(v))
        self.builder.store(v.value, pointer, align=self._alignment)

    def add_total(self, i, v):
        """Add the sum of a register's elements to self[i]."""
        components, s = 1 + self.is_complex, len(v) // 2
        while s >= components:
            v, s = v + swap(v, s), s // 2
        self.store(i, self._read(i, components) + v[range(components)])


class InterpretedArray:
    """What `Array` is to compiled code, for interpreted code."""

    def __init__(self, array):
        self.array, self.dtype = array, array.dtype
        self.lanes = register_lanes(array.dtype)
        self.is_complex = array.dtype.kind == "c"

    def _components(self, i, count):
        """Components of self[i : i + count], a view."""
        if not 0 <= i <= len(self.array) - count:
            raise IndexError(
                f"{count} elements at {i} of an array of {len(self.array)}"
            )
        part = self.array[i : i + count]
        return part.view(part.real.dtype)

    def load(self, i):
        return self._components(i, self.lanes).copy()

    def splat(self, i):
        return np.tile(self._components(i, 1), self.lanes)

    def store(self, i, v):
        self._components(i, self.lanes)[...] = v

    def add_total(self, i, v):
        self._components(i, 1)[...] += v.reshape(self.lanes, -1).sum(axis=0)


def swap(v, s):
    """Register whose component i is component i ^ s of v."""
    return v[[i ^ s for i in range(len(v))]]


def alternate_signs(v, s):
    """Register whose component i is that of v, negated where i & s."""
    signs = [-1.0 if i & s else 1.0 for i in range(len(v))]
    if isinstance(v, np.ndarray):
        return v * np.array(signs, v.dtype)
    return v * Register(v.builder, ir.Constant(v.value.type, signs))


def with_one_lane(array):
    """The array with registers of one element."""
    single = copy(array)
    single.lanes = 1
    return single


def transpose(registers):
    """Transpose a square of elements, each of its rows a register.

    1. With s = 1, 2, 4, ... the square is one of 2x2 blocks of s x s elements.
    2. Rows i and i + s exchange the off-diagonal blocks, by two shuffles of both.
    """
    count = len(registers)
    components = len(registers[0]) // count
    # The components of each element of a pair of registers.
    elements = [range(k * components, (k + 1) * components) for k in range(2 * count)]
    s = 1
    while s < count:
        exchanged = list(registers)
        for i in (i for i in range(count) if not i & s):
            order = [j + (count - s if j & s else 0) for j in range(count)]
            pair = registers[i], registers[i + s]
            for k, shift in ((i, 0), (i + s, s)):
                chosen = [elements[j + shift] for j in order]
                exchanged[k] = _shuffle(*pair, [p for part in chosen for p in part])
        registers, s = exchanged, 2 * s
    return registers


def _shuffle(a, b, order):
    """Register of the components of a and, behind them, of b, in this order."""
    if isinstance(a, np.ndarray):
        return np.concatenate([a, b])[order]
    indices = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))
    return Register(a.builder, a.builder.shuffle_vector(a.value, b.value, indices))


class Accumulator:
    """A register that is added to in a loop."""

    def __init__(self, register):
        self._is_emitted = isinstance(register, Register)
        if self._is_emitted:
            # The body of a loop is emitted once, so a Python variable cannot change in
            # it. Memory on the stack can, and LLVM makes it a register.
            builder, kind = register.builder, register.value.type
            self._builder, self._slot = builder, cgutils.alloca_once(builder, kind)
        self._set(register)

    def _set(self, register):
        if self._is_emitted:
            self._builder.store(register.value, self._slot)
        else:
            self._value = register

    @property
    def register(self):
        """The sum so far."""
        if self._is_emitted:
            return Register(self._builder, self._builder.load(self._slot))
        return self._value

    def add(self, register):
        """Add a register."""
        self._set(self.register + register)
