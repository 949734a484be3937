"""Sweeps: a few layers applied to all rows of a tile, in one pass over it.

A row is a register of each of the tile's samples. Where row r of sample h lies is told
by a place (array, start, row, sample): array[start + r * row + h * sample :].
"""

from .._jit.staging import loop, staged
from .layers import Weights, mix, mix_back, strides_within, within, within_back


def _positions(place, r, h, s, levels, samples, increasing):
    """Where the registers of a group lie: rows r, r + s, ..., samples h, h + 1.

    The index of a register has a bit for each level, and one for the sample.
    """
    _, start, row, sample = place
    found = [start + r * row + h * sample]
    steps = [s * (row * (1 << t)) for t in range(levels)]
    steps = steps if increasing else steps[::-1]
    for step in [*steps, sample] if samples == 2 else steps:
        found += [i + step for i in found]
    return found


def forward(source, target, w, levels, inner, increasing):
    """Apply `inner` layers within registers and so many levels to a group of rows."""
    rows, strides = 1 << levels, strides_within(w, inner, increasing)
    v = source.load()
    if increasing:
        v = within(v, w, 0, rows, strides)[-1]
        v = mix(v, w, 2 * rows * len(strides), levels)[-1]
    else:
        v = mix(v, w, 0, levels)[-1]
        v = within(v, w, 2 * rows * levels, rows, strides)[-1]
    target.store(v)


def back(saved, gradient, target, w, gw, levels, inner, increasing):
    """Back through `forward`: what went in, gradient of what came out, of what went."""
    rows, strides = 1 << levels, strides_within(w, inner, increasing)
    v, g = saved.load(), gradient.load()
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
    target.store(g)


class Rows:
    """The registers of a group of rows at a place."""

    def __init__(self, array, positions):
        self.array, self.positions = array, positions

    def load(self):
        return [self.array.load(i) for i in self.positions]

    def store(self, registers):
        for i, register in zip(self.positions, registers, strict=True):
            self.array.store(i, register)


def sweep(layers, levels, samples, increasing, inner=0, same=False):
    """Make a sweep: `layers` over so many levels, and samples at a time."""

    @staged
    def over(places, arrays, p, size, s, groups, count):
        """Rows r, r + s, ... for r < s are a closed group, with `size` weights.

        There are so many `groups` of them. The number of samples, `count`, is a
        multiple of what the sweep takes at a time, or one, if the places have the next
        sample at the same position.
        """
        for group in loop(0, groups):
            for r in loop(0, s):
                at = p + (group * s + r) * size
                weights = [Weights(array, at, same) for array in arrays]
                for h in loop(0, count, samples):
                    first = group * s * (1 << levels) + r
                    where = first, h, s, levels, samples, increasing
                    rows = [Rows(a[0], _positions(a, *where)) for a in places]
                    layers(*rows, *weights, levels, inner, increasing)

    return over
