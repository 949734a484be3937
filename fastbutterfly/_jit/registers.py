"""Values: what staged functions compute with, see `_simd.py`.

Indices and registers of the kernel that is being compiled, and arrays to load them from
and store them to; for interpreted code the same on NumPy arrays.
"""

from copy import copy

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, codegen

from .options import FASTMATH


def _register_bytes():
    features = numba.config.CPU_FEATURES
    if features is None:
        features = codegen.get_host_cpu_features()
    features = features.split(",")
    return 64 if "+avx512f" in features else 32 if "+avx" in features else 16


REGISTER_BYTES = _register_bytes()
many_registers = REGISTER_BYTES == 64  # 32 of them, else 16


def register_lanes(dtype):
    """Numbers in a register."""
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


def least(a, b):
    """The lesser of two indices."""
    if not isinstance(a, Index):
        return min(a, b)
    first = a.builder.icmp_signed("<", a.value, b.value)
    return Index(a.builder, a.builder.select(first, a.value, b.value))


def loop(start, stop, step=1):
    """Like range, for staged functions: what is in the loop is emitted once."""
    ends = [start, stop, step]
    emitted = [k for k in ends if isinstance(k, Index)]
    if not emitted:
        yield from range(start, stop, step)
        return
    builder, kind = emitted[0].builder, emitted[0].value.type
    ends = [k.value if isinstance(k, Index) else ir.Constant(kind, k) for k in ends]
    with cgutils.for_range_slice(builder, *ends, intp=kind) as (index, _):
        yield Index(builder, index)


class Register(Emitted):
    """One register of real numbers."""

    def _with(self, instruction, other):
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
        numbers = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))
        value = self.builder.shuffle_vector(self.value, self.value, numbers)
        return Register(self.builder, value)

    def __len__(self):
        return self.value.type.count


class Array(Emitted):
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
        return Register(self.builder, self.builder.load(pointer, align=align))

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

    def add_total(self, i, v):
        """Add the sum of a register's numbers to self[i]."""
        places, s = 1 + self.is_complex, len(v) // 2
        while s >= places:
            v, s = v + swap(v, s), s // 2
        self.store(i, self._read(i, places) + v[range(places)])


class Slices:
    """What `Array` is to compiled code, for interpreted code."""

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

    def add_total(self, i, v):
        self._at(i, 1)[...] += v.reshape(self.lanes, -1).sum(axis=0)


def swap(v, s):
    """Register whose place i is place i ^ s of v."""
    return v[[i ^ s for i in range(len(v))]]


def alternated(v, s):
    """Register whose place i is that of v, negated where i & s."""
    signs = [-1.0 if i & s else 1.0 for i in range(len(v))]
    if isinstance(v, np.ndarray):
        return v * np.array(signs, v.dtype)
    return v * Register(v.builder, ir.Constant(v.value.type, signs))


def narrowed(array):
    """The array with registers of one number."""
    found = copy(array)
    found.lanes = 1
    return found


def transposed(registers):
    """The rows of a square, as many numbers each, become its columns."""
    count, places = len(registers), len(registers[0]) // len(registers)
    every = [range(k * places, (k + 1) * places) for k in range(2 * count)]
    s = 1
    while s < count:
        found = list(registers)
        for i in (i for i in range(count) if not i & s):
            order = [j + (count - s if j & s else 0) for j in range(count)]
            pair = registers[i], registers[i + s]
            for k, shift in ((i, 0), (i + s, s)):
                numbers = [every[j + shift] for j in order]
                found[k] = _chosen(*pair, [p for places in numbers for p in places])
        registers, s = found, 2 * s
    return registers


def _chosen(a, b, order):
    """Register of the places of a, and those of b behind them, in this order."""
    if isinstance(a, np.ndarray):
        return np.concatenate([a, b])[order]
    numbers = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
    return Register(a.builder, a.builder.shuffle_vector(a.value, b.value, numbers))


class Sum:
    """A register that is added to in a loop."""

    def __init__(self, register):
        self._emitted = isinstance(register, Register)
        if self._emitted:
            builder, kind = register.builder, register.value.type
            self._builder, self._at = builder, cgutils.alloca_once(builder, kind)
        self._set(register)

    def _set(self, register):
        if self._emitted:
            self._builder.store(register.value, self._at)
        else:
            self._value = register

    @property
    def register(self):
        """What it is now."""
        if self._emitted:
            return Register(self._builder, self._builder.load(self._at))
        return self._value

    def add(self, register):
        """Add a register."""
        self._set(self.register + register)
