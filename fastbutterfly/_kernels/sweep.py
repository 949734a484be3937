"""Sweeps: a few layers applied to all rows of a tile, in one pass over it.

A row is a register of each of the tile's samples. Where row r of sample h lies is told
by a place (array, start, row, sample): array[start + r * row + h * sample :].
"""

from .._jit import helper
from .._simd import staged
from .registers import Weights, mix, mix_back, strides_within, within, within_back


@helper
def place(array, start, row, sample):
    """Where a tile lies."""
    return array, start, row, sample


def _positions(place, r, h, s, levels, samples, increasing):
    """Where the registers of a body lie: rows r, r + s, ..., samples h, h + 1."""
    _, start, row, sample = place
    found = [start + r * row + h * sample]
    steps = [s * (row * (1 << t)) for t in range(levels)]
    steps = steps if increasing else steps[::-1]
    for step in [*steps, sample] if samples == 2 else steps:
        found += [i + step for i in found]
    return found


def forward(levels, samples, increasing, inner, same):
    """What a sweep does to a group of rows: `inner` layers within registers, levels."""
    rows = 1 << levels

    @staged
    def body(places, r, h, s, arrays, p):
        w = Weights(arrays[0], p, same)
        source, target = (
            _positions(a, r, h, s, levels, samples, increasing) for a in places
        )
        v = [places[0][0].load(i) for i in source]
        strides = strides_within(w, inner, increasing)
        first = 2 * rows * len(strides)
        if increasing:
            v = within(v, w, 0, rows, strides)[-1]
            v = mix(v, w, first, levels)[-1]
        else:
            v = mix(v, w, 0, levels)[-1]
            v = within(v, w, 2 * rows * levels, rows, strides)[-1]
        for i, register in zip(target, v, strict=True):
            places[1][0].store(i, register)

    return body


def back(levels, samples, increasing, inner, same):
    """Back through `forward`: what went in, gradient of what came out, of what went."""
    rows = 1 << levels

    @staged
    def body(places, r, h, s, arrays, p):
        w = Weights(arrays[0], p, same)
        gw = Weights(arrays[1], p * (w.lanes if same else 1))
        saved, gradient, target = (
            _positions(a, r, h, s, levels, samples, increasing) for a in places
        )
        v = [places[0][0].load(i) for i in saved]
        g = [places[1][0].load(i) for i in gradient]
        strides = strides_within(w, inner, increasing)
        if increasing:
            first = 2 * rows * len(strides)
            inside = within(v, w, 0, rows, strides)
            between = mix(inside[-1], w, first, levels)
            g = mix_back(between, g, w, gw, first, levels)
            g = within_back(inside, g, w, gw, 0, rows, strides)
        else:
            first = 2 * rows * levels
            between = mix(v, w, 0, levels)
            inside = within(between[-1], w, first, rows, strides)
            g = within_back(inside, g, w, gw, first, rows, strides)
            g = mix_back(between, g, w, gw, 0, levels)
        for i, register in zip(target, g, strict=True):
            places[2][0].store(i, register)

    return body


def sweep(make, levels, samples, increasing, inner=0, same=False):
    """Make a sweep over `levels` levels, so many samples at a time."""
    body = make(levels, samples, increasing, inner, same)

    @helper
    def over(places, arrays, p, size, s, rows, count):
        """Rows r, r + s, ... of closed groups; their weights are `size` numbers each.

        The number of samples, `count`, is a multiple of what the sweep takes at a time,
        or one, if the places have the next sample at the same position.
        """
        for group in range(0, rows, s << levels):
            for r in range(group, group + s):
                for h in range(0, count, samples):
                    body(places, r, h, s, arrays, p)
                p += size

    return over
