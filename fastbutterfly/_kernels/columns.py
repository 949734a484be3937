"""Columns: a butterfly applied to samples that lie side by side, (n, columns).

A register holds one coordinate of neighbouring samples, so all layers mix whole
registers, with weights that are the same for all lanes.
"""

from .._jit import helper, jit
from .._simd import lanes, place, width
from .forward import tile_of


def _columns(increasing):
    run = tile_of(increasing, same=True)

    @helper
    def columns(x, w, y, tile, n, count, first, last):
        u = lanes(w)
        unit, together = 2 * width(w), len(tile) // (n * u)
        for plane in range(0, len(x), n * count):
            start = first
            while start < last:
                samples = min(together, (last - start) // u)
                if samples > 1:
                    samples -= samples % 2
                else:
                    start, samples = min(start, last - u), 1
                apart = u if samples > 1 else 0
                source = place(x, plane + start, count, apart)
                target = place(y, plane + start, count, apart)
                run(source, target, tile, w, unit, 0, n, samples)
                start += samples * u

    return columns


_columns_up, _columns_down = _columns(True), _columns(False)


@jit
def columns_up(x, w, y, tile, n, count, first, last):
    """y = B x for planes (n, count) of x, all flat, columns first ... last - 1.

    n is at least four, and there is at least a register of columns. The last register
    may overlap the one before, so x and y must not be the same.
    """
    _columns_up(x, w, y, tile, n, count, first, last)


@jit
def columns_down(x, w, y, tile, n, count, first, last):
    """As `columns_up`, strides decreasing."""
    _columns_down(x, w, y, tile, n, count, first, last)
