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


def _positions(place, i, s, levels, samples, increasing):
    """Where the registers of a body lie: from i on each s-th row, and the next sample.

    The index of a register has a bit for each level, and one for the sample.
    """
    _, _, row, sample = place
    found = [i]
    steps = [s * (row * (1 << t)) for t in range(levels)]
    steps = steps if increasing else steps[::-1]
    for step in [*steps, sample] if samples == 2 else steps:
        found += [i + step for i in found]
    return found


def forward(levels, samples, increasing, inner, same):
    """What a sweep does to a group of rows: `inner` layers within registers, levels."""
    rows = 1 << levels

    @staged
    def body(places, i, s, arrays, p):
        w = Weights(arrays[0], p, same)
        source, target = (
            _positions(*a, s, levels, samples, increasing)
            for a in zip(places, i, strict=True)
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
    def body(places, i, s, arrays, p):
        w = Weights(arrays[0], p, same)
        gw = Weights(arrays[1], p * (w.lanes if same else 1))
        saved, gradient, target = (
            _positions(*a, s, levels, samples, increasing)
            for a in zip(places, i, strict=True)
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


@helper
def _start_2(places, r):
    return _row(places[0], r), _row(places[1], r)


@helper
def _start_3(places, r):
    return _row(places[0], r), _row(places[1], r), _row(places[2], r)


@helper
def _row(place, r):
    return place[1] + r * place[2]


@helper
def _advance_2(i, places, samples):
    return i[0] + samples * places[0][3], i[1] + samples * places[1][3]


@helper
def _advance_3(i, places, samples):
    a, b, c = places
    return i[0] + samples * a[3], i[1] + samples * b[3], i[2] + samples * c[3]


def sweep(make, levels, samples, increasing, inner=0, same=False):
    """Make a sweep over `levels` levels, so many samples at a time."""
    body = make(levels, samples, increasing, inner, same)
    start, advance = (
        (_start_2, _advance_2) if make is forward else (_start_3, _advance_3)
    )

    @helper
    def over(places, arrays, p, size, s, rows, count):
        """Rows r, r + s, ... of closed groups; their weights are `size` numbers each.

        The number of samples, `count`, is a multiple of what the sweep takes at a time,
        or one, if the places have the next sample at the same position.
        """
        for group in range(0, rows, s << levels):
            for r in range(group, group + s):
                i = start(places, r)
                for _ in range(0, count, samples):
                    body(places, i, s, arrays, p)
                    i = advance(i, places, samples)
                p += size

    return over
