"""Forward: a butterfly applied to samples that are rows, or columns.

A register holds neighbouring numbers of a row, and the layers with the smallest strides
mix its lanes; or it holds a coordinate of neighbouring columns, and all layers mix
whole registers, with weights that are the same for all lanes.
"""

from .._jit.options import helper, jit
from .._jit.staging import frozen, lanes, place, width
from .schedule import count_levels, forward_sweeps
from .sweep import forward, sweep

ALL = 6  # more layers than fit into a register


def _tiles(increasing, same=False):
    """Make what is done tile by tile, for one order of the strides."""
    three, two = (sweep(forward, *k, increasing, same=same) for k in ((3, 1), (2, 2)))
    inner_three, inner_two = (
        sweep(forward, *k, increasing, inner=ALL) for k in ((3, 1), (2, 2))
    )

    @helper
    def run(x, w, y, tile, unit, inner, rows, row, apart, first, last, to, shift):
        """All layers, for the samples at first, first + apart, ... before last.

        `inner` layers lie within registers, in the sweep with s = 1; a block takes 2 *
        `unit` numbers. Rows of a sample are `row` apart. The last sample may overlap
        the one before. The first sweep of a tile reads x, the last writes y, those
        between stay in the tile. In y rows are `to` apart, and samples `shift` earlier.
        """
        threes, twos = forward_sweeps(rows)
        steps, u = threes + twos, lanes(w)
        together, start = len(tile) // (rows * u), first
        while start < last:
            samples = min(together, (last - start) // apart)
            if samples > 1:
                samples -= samples % 2
            else:
                start, samples = min(start, last - apart), 1
            several = 1 if samples > 1 else 0
            for step in range(steps):
                q = step if increasing else steps - 1 - step
                t = 3 * min(q, threes) + 2 * max(q - threes, 0)
                a = place(frozen(tile), 0, samples * u, several * u)
                b = place(tile, 0, samples * u, several * u)
                if step == 0:
                    a = place(x, start, row, several * apart)
                if step == steps - 1:
                    b = place(y, start - shift, to, several * apart)
                k, within = 3 if q < threes else 2, 0 if t else inner
                p = (t + inner - within) * rows * unit
                places, size, s = (a, b), (k + within) * (unit << k), 1 << t
                groups = rows >> t + k
                if k == 3 and within:
                    inner_three(places, (w,), p, size, s, groups, samples)
                elif k == 3:
                    three(places, (w,), p, size, s, groups, samples)
                elif within:
                    inner_two(places, (w,), p, size, s, groups, samples)
                else:
                    two(places, (w,), p, size, s, groups, samples)
            start += samples * apart

    return run


_rows_up, _rows_down = _tiles(True), _tiles(False)
_columns_up, _columns_down = _tiles(True, same=True), _tiles(False, same=True)


@jit
def rows_up(x, w, y, tile, n):
    """y = B x for each sample of x, all flat; n at least four registers.

    `w` holds packed weights. `tile` has room for as many samples as are worked on at a
    time; for one sample it may be y.
    """
    u = lanes(w)
    unit, inner = 2 * u * width(w), count_levels(u)
    _rows_up(x, w, y, tile, unit, inner, n // u, u, n, 0, len(x), u, 0)


@jit
def rows_down(x, w, y, tile, n):
    """As `rows_up`, strides decreasing."""
    u = lanes(w)
    unit, inner = 2 * u * width(w), count_levels(u)
    _rows_down(x, w, y, tile, unit, inner, n // u, u, n, 0, len(x), u, 0)


@jit
def columns_up(x, w, y, tile, n, count, first, last, to):
    """y = B x for planes (n, count) of x, all flat, columns first ... last - 1.

    y has planes like those of x, to = count; or x is one plane, and y has these columns
    alone, to = last - first.
    n is at least four, and there is at least a register of columns. The last register
    may overlap the one before, so x and y must not be the same.
    """
    rest = tile, 2 * width(w), 0, n, count, lanes(w)
    for plane in range(0, len(x), n * count):
        shift = 0 if to == count else first
        _columns_up(x, w, y, *rest, plane + first, plane + last, to, shift)


@jit
def columns_down(x, w, y, tile, n, count, first, last, to):
    """As `columns_up`, strides decreasing."""
    rest = tile, 2 * width(w), 0, n, count, lanes(w)
    for plane in range(0, len(x), n * count):
        shift = 0 if to == count else first
        _columns_down(x, w, y, *rest, plane + first, plane + last, to, shift)
