"""Gradient: of <g, B x> with respect to x and to the weights.

For each tile of samples:

1. Forward, sweep by sweep; the input of every sweep is kept in `scratch`.
2. Backward, from the last sweep to the first: recompute in registers what lies between
   the sweep's layers, propagate the gradient, add to the sums for the weights. The
   gradient stays in one more part of `scratch`; the last step writes gx.

The gradient of packed weights is a sum over samples, lane by lane.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, read_only, registers_per_weight, tile_view
from .schedule import count_levels, gradient_sweeps, levels_of, numbered
from .sweep import INNER, back, forward, scheduled, sweep

# Registers between two parts of `scratch`. Without them the same row of all parts falls
# into one set of the L1 cache, whose eight or so lines then evict each other.
SKEW = 20


def gradient_sweep(layers, increasing):
    """Make the sweep of a step: the layers within registers, or levels.

    Strides increasing: the layers within registers come first, else last.
    """
    levels_alone = scheduled(layers, increasing)
    inner_alone = sweep(layers, 0, 2, increasing, INNER)

    @helper
    def over(views, arrays, step, sizes, samples):
        """A step of a tile; `sizes` as `gradient_sizes` returns them."""
        levels, unit, inner, rows = sizes
        threes, twos = gradient_sweeps(levels)
        number = numbered(step, threes + twos + 1, increasing) - 1
        if number < 0:
            inner_alone(views, arrays, 0, inner * unit, 1, rows, samples)
        else:
            t, k = levels_of(number, threes)
            p, where = (t + inner) * rows * unit, (t, k, rows)
            levels_alone(views, arrays, p, k * unit, where, samples)

    return over


@helper
def gradient_sizes(w, n, levels):
    """Levels, twice the elements of a weight, layers within registers, rows."""
    u = lanes(w)
    return levels, 2 * u * registers_per_weight(w), count_levels(u), n // u


def gradient_tile(increasing):
    """Make what is done to one tile, for one order of the strides."""
    ahead, back_again = (gradient_sweep(f, increasing) for f in (forward, back))

    @helper
    def run(views, scratch, w, gw, sizes, samples):
        """One tile; views: of x, of g, and of gx, which is written."""
        levels, _, _, rows = sizes
        threes, twos = gradient_sweeps(levels)
        last, u, saved = threes + twos, lanes(w), read_only(scratch)
        row, part = samples * u, (rows * samples + SKEW) * u
        x, g, gx = views
        for step in range(last):
            source = x
            if step > 0:
                source = tile_view(saved, (step - 1) * part, row, u)
            target = tile_view(scratch, step * part, row, u)
            ahead((source, target), (w,), step, sizes, samples)
        for step in range(last, -1, -1):
            source, gradient, target = x, g, gx
            if step > 0:
                source = tile_view(saved, (step - 1) * part, row, u)
                target = tile_view(scratch, last * part, row, u)
            if step < last:
                gradient = tile_view(saved, last * part, row, u)
            back_again((source, gradient, target), (w, gw), step, sizes, samples)

    return run


_up, _down = gradient_tile(True), gradient_tile(False)


@jit
def gradient_up(x, g, w, gx, gw, scratch, shape):
    """gx = B^H g and gw += sums over samples for the weights' gradient, all flat.

    shape: (samples_per_tile, n, levels). B has the layers within registers and so many
    `levels`, not one: log2(n / lanes) of them are all. The number of samples is even
    and n at least four registers. `scratch` has room for a tile of so many samples, and
    SKEW registers, for each sweep and once more.
    """
    samples_per_tile, n, levels = shape
    u, sizes = lanes(w), gradient_sizes(w, n, levels)
    for start in range(0, len(x), n * samples_per_tile):
        samples = min(samples_per_tile, (len(x) - start) // n)
        a, b = tile_view(x, start, u, n), tile_view(g, start, u, n)
        views = a, b, tile_view(gx, start, u, n)
        _up(views, scratch, w, gw, sizes, samples)


@jit
def gradient_down(x, g, w, gx, gw, scratch, shape):
    """As `gradient_up`, strides decreasing."""
    samples_per_tile, n, levels = shape
    u, sizes = lanes(w), gradient_sizes(w, n, levels)
    for start in range(0, len(x), n * samples_per_tile):
        samples = min(samples_per_tile, (len(x) - start) // n)
        a, b = tile_view(x, start, u, n), tile_view(g, start, u, n)
        views = a, b, tile_view(gx, start, u, n)
        _down(views, scratch, w, gw, sizes, samples)
