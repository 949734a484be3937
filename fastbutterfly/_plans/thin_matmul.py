"""Narrow: products of real matrices, our own where a side is short."""

import numpy as np

from .._base.memory import aligned, frozen
from .._jit.staging import many_registers, register_lanes
from .._kernels import thin_matmul

WIDE = thin_matmul.REGISTERS  # registers of a panel
CACHE = 1 << 17  # bytes of the right-hand matrix that are packed together
SHORT, LEAST = 64, 1 << 19  # most of the short side, least multiply-adds


def product(a, b, out=None):
    """Return a @ b, (m, terms) by (terms, n); `out` is in C order.

    See benchmarks/narrow.py: BLAS takes several times as long for terms = 1, and with
    registers of 64 bytes up to twice as long where another side is short.
    """
    if not _pays(a, b):
        return np.matmul(a, b, out=out)
    (m, terms), n = a.shape, b.shape[1]
    if out is None:
        out = aligned((m, n), a.dtype)
    wide = WIDE * register_lanes(a.dtype)
    panels = min(-(-n // wide), max(1, CACHE // (terms * wide * a.itemsize)))
    tile = aligned(panels * terms * wide, a.dtype)
    rest = aligned(m * wide if n % wide else 0, a.dtype)
    flat = _flat(a), _flat(b), out.reshape(-1)
    thin_matmul.product(*flat, (m, terms, n), tile, rest)
    return out


def _pays(a, b):
    """Whether our own is faster, as far as measured."""
    (m, terms), n = a.shape, b.shape[1]
    if m * terms * n < (LEAST if terms > 1 else LEAST >> 7):
        return False
    wide = WIDE * register_lanes(a.dtype)
    if not (_is_flat(a) and _is_flat(b)):
        return False
    if terms == 1:
        return n >= wide
    least = 8 if b.flags.c_contiguous else 64  # rows that packing b pays for
    large = m >= least and 4 * n >= 3 * wide
    return many_registers and large and min(m, terms, n) <= SHORT


def _is_flat(a):
    return a.flags.c_contiguous or a.flags.f_contiguous


def _flat(a):
    """A matrix as a flat array, and the strides of rows and columns."""
    if a.flags.c_contiguous:
        return frozen(a).reshape(-1), a.shape[1], 1
    return frozen(a.T).reshape(-1), 1, a.shape[0]
