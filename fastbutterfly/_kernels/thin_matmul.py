"""Narrow: matrix products with a short side, where BLAS is far from the limit.

c = a b, (m, terms) by (terms, n). Arrays are flat; a and b have any strides. Columns of
b go into `tile` panel by panel, REGISTERS registers wide, padded with zeros; for each
panel ROWS rows of c are summed in registers. So many panels are packed at a time as
stay in the cache, so that c is written row by row.
"""

from .._jit.options import helper, jit
from .._jit.staging import Accumulator, lanes, loop, many_registers, minimum, staged

ROWS, REGISTERS = (8, 2) if many_registers else (4, 2)


@staged
def _sums(a, b, c, i, last, terms):
    """Rows i, i + 1, ... of c, none beyond the last; of a panel of b."""
    (a, of_row, of_term), (b, panel), (c, start, apart) = a, b, c
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
            c.store(start + row * apart + k, total.register)


@staged
def _copy(b, start, from_term, tile, panel, terms):
    """A panel of neighbouring columns."""
    for s in loop(0, terms):
        for k in range(REGISTERS):
            found = b.load(start + s * from_term + k * b.lanes)
            tile.store(panel + (s * REGISTERS + k) * b.lanes, found)


@helper
def _pack(b, first, end, n, tile, terms):
    """Columns first ... end - 1 of b, as panels."""
    b, of_term, of_column = b
    wide, panel = REGISTERS * lanes(b), 0
    for j in range(first, end, wide):
        if of_column == 1 and j + wide <= n:
            _copy(b, j, of_term, tile, panel, terms)
        else:
            for t in range(wide):
                start = (j + t) * of_column
                for s in range(terms):
                    number = b[start + s * of_term] if j + t < n else 0
                    tile[panel + s * wide + t] = number
        panel += terms * wide


@jit
def product(a, b, c, sizes, tile, rest):
    """c = a b; a and b are flat arrays and their strides, (array, of_row, of_column).

    sizes: (m, terms, n). tile: room for at least one panel; rest: for m rows of one.
    """
    (m, terms, n), wide = sizes, REGISTERS * lanes(tile)
    together = len(tile) // (terms * wide) * wide
    for first in range(0, n, together):
        end = min(n, first + together)
        _pack(b, first, end, n, tile, terms)
        for i in range(0, m, ROWS):
            panel = 0
            for j in range(first, end, wide):
                target = (c, j, n) if j + wide <= n else (rest, 0, wide)
                _sums(a, (tile, panel), target, i, m - 1, terms)
                panel += terms * wide
    size = n % wide
    for i in range(m):
        for t in range(size):
            c[i * n + n - size + t] = rest[i * wide + t]
