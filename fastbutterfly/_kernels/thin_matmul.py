"""Thin matrix products: one side is short, and BLAS is far from the limit.

c = a b, (m, terms) by (terms, n).

1. Columns of b are packed into panels, REGISTERS registers wide, padded with zeros, as
   many at a time as stay in the cache.
2. For ROWS rows of c, and each of these panels: their sums over the terms stay in
   registers, and each register of the panel is loaded once for all rows.
3. c is written row by row; what is left of a panel at its end goes through `edge`.

Arrays are flat; a and b have any strides. ROWS times REGISTERS sums are half of the
registers that the CPU has.
"""

from .._jit.options import helper, jit
from .._jit.staging import Accumulator, lanes, loop, many_registers, minimum, staged

ROWS, REGISTERS = (8, 2) if many_registers else (4, 2)


@staged
def _sums(a, b, c, i, last, terms):
    """Rows i, i + 1, ... of c, none beyond the last; of a panel of b."""
    (a, of_row, of_term), (b, panel), (c, start, stride) = a, b, c
    rows = [minimum(i + r, last) for r in range(ROWS)]
    firsts = [row * of_row for row in rows]
    columns = [k * b.lanes for k in range(REGISTERS)]

    def products(s):
        w = [b.load(panel + s * (REGISTERS * b.lanes) + k) for k in columns]
        return [[x * v for v in w] for x in (a.splat(f + s * of_term) for f in firsts)]

    sums = [list(map(Accumulator, row)) for row in products(0)]
    for s in loop(1, terms):
        for so_far, row in zip(sums, products(s), strict=True):
            for total, term in zip(so_far, row, strict=True):
                total.add(term)
    for row, so_far in zip(rows, sums, strict=True):
        for k, total in zip(columns, so_far, strict=True):
            c.store(start + row * stride + k, total.register)


@staged
def _copy(b, start, from_term, tile, panel, terms):
    """A panel of neighbouring columns."""
    for s in loop(0, terms):
        for k in range(REGISTERS):
            v = b.load(start + s * from_term + k * b.lanes)
            tile.store(panel + (s * REGISTERS + k) * b.lanes, v)


@helper
def _pack(b, first, end, n, tile, terms):
    """Columns first ... end - 1 of b, as panels."""
    b, of_term, of_column = b
    panel_width, panel = REGISTERS * lanes(b), 0
    for j in range(first, end, panel_width):
        if of_column == 1 and j + panel_width <= n:
            _copy(b, j, of_term, tile, panel, terms)
        else:
            for t in range(panel_width):
                start = (j + t) * of_column
                for s in range(terms):
                    value = b[start + s * of_term] if j + t < n else 0
                    tile[panel + s * panel_width + t] = value
        panel += terms * panel_width


@jit
def product(a, b, c, sizes, tile, edge):
    """c = a b; a and b are flat arrays and their strides, (array, of_row, of_column).

    sizes: (m, terms, n). tile: room for at least one panel; edge: for m rows of one.
    """
    (m, terms, n), panel_width = sizes, REGISTERS * lanes(tile)
    packed_columns = len(tile) // (terms * panel_width) * panel_width
    for first in range(0, n, packed_columns):
        end = min(n, first + packed_columns)
        _pack(b, first, end, n, tile, terms)
        for i in range(0, m, ROWS):
            panel = 0
            for j in range(first, end, panel_width):
                target = (c, j, n) if j + panel_width <= n else (edge, 0, panel_width)
                _sums(a, (tile, panel), target, i, m - 1, terms)
                panel += terms * panel_width
    size = n % panel_width
    for i in range(m):
        for t in range(size):
            c[i * n + n - size + t] = edge[i * panel_width + t]
