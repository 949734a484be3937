"""Gradient: of <g, B x> with respect to x and to the weights.

A tile of samples goes forward and the input of every sweep is kept; then back, with
what lies between the levels of a sweep computed again in registers. The gradient of
packed weights is a sum over samples, lane by lane.
"""

from .._jit.options import helper, jit
from .._jit.staging import frozen, lanes, place, width
from .schedule import count_levels, gradient_sweeps
from .sweep import back, forward, sweep

# Registers between two tiles. Without them the same row of all tiles falls into one
# set of the L1 cache.
SKEW = 20


def stage_of(make, increasing):
    """Make the choice of what is done at a stage: layers within registers, or levels.

    Strides increasing: the layers within registers come first, else last.
    """
    three, two = (sweep(make, *k, increasing) for k in ((3, 1), (2, 2)))
    inner = sweep(make, 0, 2, increasing, inner=6)

    @helper
    def run(places, arrays, stage, levels, unit, layers, rows, samples):
        threes, twos = gradient_sweeps(levels)
        last = threes + twos
        q = stage - 1 if increasing else last - 1 - stage
        if q < 0:
            inner(places, arrays, 0, layers * unit, 1, rows, samples)
            return
        t = 3 * min(q, threes) + 2 * max(q - threes, 0)
        p, s = (t + layers) * rows * unit, 1 << t
        if q < threes:
            three(places, arrays, p, 24 * unit, s, rows >> t + 3, samples)
        else:
            two(places, arrays, p, 8 * unit, s, rows >> t + 2, samples)

    return run


def tile_of(increasing):
    """Make what is done to one tile, for one order of the strides."""
    ahead, back_again = (stage_of(make, increasing) for make in (forward, back))

    @helper
    def run(x, g, gx, scratch, w, gw, levels, unit, layers, rows, samples):
        """One tile; `scratch` holds the outcome of each stage, and a gradient."""
        threes, twos = gradient_sweeps(levels)
        last, u, read = threes + twos, lanes(w), frozen(scratch)
        row, slot = samples * u, (rows * samples + SKEW) * u
        for stage in range(last):
            source = x
            if stage > 0:
                source = place(read, (stage - 1) * slot, row, u)
            target = place(scratch, stage * slot, row, u)
            ahead((source, target), (w,), stage, levels, unit, layers, rows, samples)
        for stage in range(last, -1, -1):
            saved, source, target = x, g, gx
            if stage > 0:
                saved = place(read, (stage - 1) * slot, row, u)
                target = place(scratch, last * slot, row, u)
            if stage < last:
                source = place(read, last * slot, row, u)
            places = saved, source, target
            back_again(places, (w, gw), stage, levels, unit, layers, rows, samples)

    return run


_up, _down = tile_of(True), tile_of(False)


@jit
def gradient_up(x, g, w, gx, gw, scratch, together, n, levels):
    """gx = B^H g and gw += sums over samples for the weights' gradient, all flat.

    B has the layers within registers and so many `levels`, not one: log2(n / lanes) of
    them are all. The number of samples is even and n at least four registers.
    `together` samples are worked on at a time; `scratch` has room for a tile of them
    for each sweep and one more, and for SKEW registers each.
    """
    u = lanes(w)
    rest = scratch, w, gw, levels, 2 * u * width(w), count_levels(u), n // u
    for start in range(0, len(x), n * together):
        samples = min(together, (len(x) - start) // n)
        a, b = place(x, start, u, n), place(g, start, u, n)
        _up(a, b, place(gx, start, u, n), *rest, samples)


@jit
def gradient_down(x, g, w, gx, gw, scratch, together, n, levels):
    """As `gradient_up`, strides decreasing."""
    u = lanes(w)
    rest = scratch, w, gw, levels, 2 * u * width(w), count_levels(u), n // u
    for start in range(0, len(x), n * together):
        samples = min(together, (len(x) - start) // n)
        a, b = place(x, start, u, n), place(g, start, u, n)
        _down(a, b, place(gx, start, u, n), *rest, samples)
