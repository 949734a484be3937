"""Hadamard: the transform without weights.

H[i, j] = (-1)^(number of bits that i and j share), in as many levels of sums and
differences as n has bits.

1. The sweep with stride one does the layers within registers, three levels or two, and
   what multiplies the elements: a scale, or a sign for each coordinate.
2. The other sweeps do three levels or two, in place, on a tile that stays in the cache.

The levels commute, so they may run in any order: from small strides to large, the order
in which the elements of a sample are read from memory.
"""

from .._jit.options import helper, jit
from .._jit.staging import alternate_signs, lanes, swap, tile_view
from .butterfly_small import as_tile, small_n
from .schedule import forward_sweeps, levels_of, numbered
from .sweep import INNER, scheduled, sweep


def mix_rows(v, levels, scale=None):
    """Levels that mix whole registers; the last one with a scale."""
    v = list(v)
    for t in range(levels):
        is_scaled = scale is not None and t == levels - 1
        for i in (i for i in range(len(v)) if not i >> t & 1):
            a, b = v[i], v[i + (1 << t)]
            if is_scaled:  # one product and two fused, no more operations than without
                b = scale * b
                v[i], v[i + (1 << t)] = scale * a + b, scale * a - b
            else:
                v[i], v[i + (1 << t)] = a + b, a - b
    return v


def mix_lanes(v, w, inner):
    """Levels that mix the lanes of each register."""
    components = 1 + w.w.is_complex
    for t in range(min(inner, w.lanes.bit_length() - 1)):
        s = components << t
        v = [swap(a, s) + alternate_signs(a, s) for a in v]
    return v


def _plain(source, target, levels, inner, increasing):
    """Levels that mix whole registers alone."""
    target.store(mix_rows(source.load(), levels))


def _scaled(source, target, w, levels, inner, increasing):
    """All levels, times one scale."""
    v, scale = mix_lanes(source.load(), w, inner), w.read(w.p)
    v = mix_rows(v, levels, scale) if levels else [scale * a for a in v]
    target.store(v)


def hadamard_sweeps(body, back=False, inner=0, same=False):
    """Make the transform of a tile; `body` is its sweep of the smallest strides.

    That is the first sweep, or with `back` the last.
    """
    # Without weights to load, two samples at a time have nothing to share.
    with_factors = scheduled(body, True, inner, same, samples=1)
    plain = scheduled(_plain, True, samples=1)

    @helper
    def run(x, w, y, rows, groups, samples, p, unit):
        """All levels, the first sweep from x to y and the others in place.

        There are `groups` of so many rows, one behind the other. What multiplies the
        elements is w[p:], `unit` elements for each row.
        """
        threes, twos = forward_sweeps(rows)
        steps = threes + twos
        for step in range(steps):
            number = numbered(step, steps, not back)
            t, k = levels_of(number, threes)
            if number == 0:
                # As a literal: rows are up to a tenth slower if LLVM has to guess it.
                where = 0, k, groups * rows
                with_factors((x, y), (w,), p, unit, where, samples)
            else:
                where = t, k, groups * rows
                plain((y, y), (), p, 0, where, samples)

    return run


copy_tile = sweep(_plain, 0, 1, True)
_small_n = small_n(_scaled, True)
_rows = hadamard_sweeps(_scaled, inner=INNER)
_columns = hadamard_sweeps(_scaled, same=True)


@jit
def hadamard_small(x, scale, y, n):
    """y = H x for samples below four registers, an even number of registers in all.

    All arrays are flat; `scale` is a register with the scale in every lane.
    """
    _small_n((as_tile(x, n), as_tile(y, n)), (scale,), n, len(x) // lanes(x))


@jit
def hadamard_rows(x, scale, y, n, samples_per_tile):
    """As `hadamard_small`, for n at least four registers; y may be x.

    Tiles of so many samples stay in the cache.
    """
    u = lanes(x)
    for start in range(0, len(x), n * samples_per_tile):
        groups = min(samples_per_tile, (len(x) - start) // n)
        target = tile_view(y, start, u, 0)
        _rows(tile_view(x, start, u, 0), scale, target, n // u, groups, 1, 0, 0)


@jit
def hadamard_columns(x, scale, y, tile, n, count, first, last):
    """y = H x for planes (n, count) of x, columns first ... last - 1; n at least four.

    The last register of columns may overlap the one before; y may be x if it does not.
    """
    u = lanes(x)
    samples_per_tile = len(tile) // (n * u)
    for plane in range(0, len(x), n * count):
        start, stop = plane + first, plane + last
        while start < stop:
            samples = min(samples_per_tile, max((stop - start) // u, 1))
            start = min(start, stop - samples * u)
            source, inside = (
                tile_view(x, start, count, u),
                tile_view(tile, 0, samples * u, u),
            )
            _columns(source, scale, inside, n, 1, samples, 0, 0)
            target = tile_view(y, start, count, u)
            copy_tile((inside, target), (), 0, 0, 1, n, samples)
            start += samples * u
