"""Forward: a butterfly applied to samples that are rows, or columns.

For each tile, as many samples as stay in the cache:

1. The first sweep reads the samples where they are in x, does its levels in registers,
   and writes to the tile.
2. The sweeps between read and write the tile, in place.
3. The last sweep reads the tile and writes y.

A register holds neighbouring elements of a row, and the layers with the smallest
strides mix its lanes; or it holds a coordinate of neighbouring columns, and all layers
mix whole registers, with weights that are the same for all lanes.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, read_only, registers_per_weight, tile_view
from .schedule import count_levels, forward_sweeps, levels_of, numbered
from .sweep import INNER, forward, scheduled


def _tiles(increasing, same=False):
    """Make what is done tile by tile, for one order of the strides."""
    levels_alone = scheduled(forward, increasing, same=same)
    # Columns have no layers within registers, so nothing more need be compiled.
    with_inner = levels_alone if same else scheduled(forward, increasing, INNER)

    @helper
    def run(x, w, y, tile, sizes, first, last, target):
        """All layers, for the samples from `first` in x to `last`.

        sizes: (twice the elements of a weight, layers within registers, rows, elements
        of x from row to row, from sample to sample); target: (elements of y from row to
        row, how much earlier than in x a sample begins). The last sample may overlap
        the one before.
        """
        unit, inner, rows, row, sample = sizes
        threes, twos = forward_sweeps(rows)
        steps, u = threes + twos, lanes(w)
        samples_per_tile, start = len(tile) // (rows * u), first
        while start < last:
            samples = min(samples_per_tile, (last - start) // sample)
            if samples > 1:
                samples -= samples % 2
            else:
                start, samples = min(start, last - sample), 1
            # A sweep of two samples does a single one twice: the next is at distance 0.
            has_next = 1 if samples > 1 else 0
            for step in range(steps):
                number = numbered(step, steps, increasing)
                a = tile_view(read_only(tile), 0, samples * u, has_next * u)
                b = tile_view(tile, 0, samples * u, has_next * u)
                if step == 0:
                    a = tile_view(x, start, row, has_next * sample)
                if step == steps - 1:
                    b = tile_view(y, start - target[1], target[0], has_next * sample)
                t, k = levels_of(number, threes)
                where = t, k, rows
                if t == 0 and inner > 0:
                    size = (k + inner) * unit
                    with_inner((a, b), (w,), 0, size, where, samples)
                else:
                    p = (t + inner) * rows * unit
                    levels_alone((a, b), (w,), p, k * unit, where, samples)
            start += samples * sample

    return run


_rows_up, _rows_down = _tiles(True), _tiles(False)
_columns_up, _columns_down = _tiles(True, same=True), _tiles(False, same=True)


@helper
def _row_sizes(w, n):
    """`sizes` of samples that are rows."""
    u = lanes(w)
    return 2 * u * registers_per_weight(w), count_levels(u), n // u, u, n


@helper
def _column_sizes(w, n, count):
    """`sizes` of samples that are columns of a plane (n, count)."""
    return 2 * registers_per_weight(w), 0, n, count, lanes(w)


@jit
def rows_up(x, w, y, tile, n):
    """y = B x for each sample of x, all flat; n at least four registers.

    `w` holds packed weights. `tile` has room for as many samples as are worked on at a
    time; for one sample it may be y.
    """
    _rows_up(x, w, y, tile, _row_sizes(w, n), 0, len(x), (lanes(w), 0))


@jit
def rows_down(x, w, y, tile, n):
    """As `rows_up`, strides decreasing."""
    _rows_down(x, w, y, tile, _row_sizes(w, n), 0, len(x), (lanes(w), 0))


@jit
def columns_up(x, w, y, tile, sizes):
    """y = B x for planes (n, count) of x, all flat, columns first ... last - 1.

    sizes: (n, count, first, last, to). y has planes like those of x, to = count; or
    x is one plane, and y has these columns alone, to = last - first. n is at least
    four, and there is at least a register of columns. The last register may overlap
    the one before, so x and y must not be the same.
    """
    n, count, first, last, to = sizes
    target, shape = (to, 0 if to == count else first), _column_sizes(w, n, count)
    for plane in range(0, len(x), n * count):
        _columns_up(x, w, y, tile, shape, plane + first, plane + last, target)


@jit
def columns_down(x, w, y, tile, sizes):
    """As `columns_up`, strides decreasing."""
    n, count, first, last, to = sizes
    target, shape = (to, 0 if to == count else first), _column_sizes(w, n, count)
    for plane in range(0, len(x), n * count):
        _columns_down(x, w, y, tile, shape, plane + first, plane + last, target)
