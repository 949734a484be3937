"""Hadamard: the transform without weights, and rotations made of it.

H[i, j] = (-1)^(number of bits that i and j share), in as many levels of sums and
differences as n has bits. They commute, so they run in any order; here from small
strides to large, three or two levels a pass over a sample. What multiplies the numbers,
a scale or signs, goes with the sweep of the smallest strides.
"""

from .._jit import helper, jit
from .._simd import alternated, frozen, lanes, place, swap
from .few import _few, _whole
from .shape import forward_sweeps
from .sweep import sweep

ALL = 6  # more levels than fit into a register


def _between(v, levels, scale=None):
    """Levels that mix whole registers; the last one with a scale."""
    v = list(v)
    for t in range(levels):
        last = scale is not None and t == levels - 1
        for i in (i for i in range(len(v)) if not i >> t & 1):
            a, b = v[i], v[i + (1 << t)]
            if last:
                b = scale * b
                v[i], v[i + (1 << t)] = scale * a + b, scale * a - b
            else:
                v[i], v[i + (1 << t)] = a + b, a - b
    return v


def _within(v, w, inner):
    """Levels that mix the lanes of each register."""
    places = 1 + w.w.is_complex
    for t in range(min(inner, w.lanes.bit_length() - 1)):
        v = [swap(a, places << t) + alternated(a, places << t) for a in v]
    return v


def _plain(source, target, levels, inner, increasing):
    target.store(_between(source.load(), levels))


def _scaled(source, target, w, levels, inner, increasing):
    """All levels, times one number."""
    v, scale = _within(source.load(), w, inner), w.read(w.p)
    if levels:
        v = _between(v, levels, scale)
    else:
        v = [scale * a for a in v]
    target.store(v)


def _signed(source, target, w, levels, inner, increasing):
    """A number for each coordinate, then all levels; or the other way round."""
    v = source.load()
    factors = [w.read(w.p + j * w.unit) for j in range(len(v))]
    if increasing:
        v = [c * a for c, a in zip(factors, v, strict=True)]
    v = _between(_within(v, w, inner), levels)
    if not increasing:
        v = [c * a for c, a in zip(factors, v, strict=True)]
    target.store(v)


def _tiles(body, increasing=True, inner=0, same=False):
    """Make what is done with a tile; `body` is its sweep of the smallest strides."""
    three, two = (sweep(_plain, k, 1, True) for k in (3, 2))
    first_three, first_two = (
        sweep(body, k, 1, True, inner=inner, same=same) for k in (3, 2)
    )
    if not increasing:
        backwards = _backwards(body)
        first_three, first_two = (
            sweep(backwards, k, 1, True, inner=inner, same=same) for k in (3, 2)
        )

    @helper
    def run(x, w, y, tile, rows, samples, p, unit):
        """All levels of places x to y; between the sweeps the numbers are in tile."""
        threes, twos = forward_sweeps(rows)
        steps = threes + twos
        for step in range(steps):
            q = step if increasing else steps - 1 - step
            t = 3 * min(q, threes) + 2 * max(q - threes, 0)
            k = 3 if q < threes else 2
            a, b = place(frozen(tile[0]), tile[1], tile[2], tile[3]), tile
            if step == 0:
                a = x
            if step == steps - 1:
                b = y
            places, s, groups, size = (a, b), 1 << t, rows >> t + k, unit << k
            if q == 0 and k == 3:
                first_three(places, (w,), p, size, s, groups, samples)
            elif q == 0:
                first_two(places, (w,), p, size, s, groups, samples)
            elif k == 3:
                three(places, (), p, size, s, groups, samples)
            else:
                two(places, (), p, size, s, groups, samples)

    return run


def _backwards(body):
    """The sweep of the transpose, whose registers are in the order of the rows."""

    def turned(source, target, w, levels, inner, increasing):
        body(source, target, w, levels, inner, not increasing)

    return turned


_few_samples = _few(_scaled, True)
_rows = _tiles(_scaled, inner=ALL)
_columns = _tiles(_scaled, same=True)


@jit
def hadamard_few(x, scale, y, n):
    """y = H x for samples below four registers, an even number of registers in all.

    All arrays are flat; `scale` fills a register of the same number.
    """
    _few_samples((_whole(x, n), _whole(y, n)), (scale,), n, len(x) // lanes(x))


@jit
def hadamard_rows(x, scale, y, n):
    """As `hadamard_few`, for n at least four registers; y may be x."""
    u = lanes(x)
    for start in range(0, len(x), n):
        here = place(y, start, u, 0)
        _rows(place(x, start, u, 0), scale, here, here, n // u, 1, 0, 0)


@jit
def hadamard_columns(x, scale, y, tile, n, count, first, last):
    """y = H x for planes (n, count) of x, columns first ... last - 1; n at least four.

    The last register of columns may overlap the one before; y may be x if it does not.
    """
    u = lanes(x)
    together = len(tile) // (n * u)
    for plane in range(0, len(x), n * count):
        start, stop = plane + first, plane + last
        while start < stop:
            samples = min(together, max((stop - start) // u, 1))
            start = min(start, stop - samples * u)
            source, target = place(x, start, count, u), place(y, start, count, u)
            inside = place(tile, 0, samples * u, u)
            _columns(source, scale, target, inside, n, samples, 0, 0)
            start += samples * u
