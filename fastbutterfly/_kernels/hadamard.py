"""Hadamard: the transform without weights, and rotations made of it.

H[i, j] = (-1)^(number of bits that i and j share), in as many levels of sums and
differences as n has bits. They commute, so they run in any order; here from small
strides to large, three or two levels a pass over a sample. What multiplies the numbers,
a scale or signs, goes with the sweep of the smallest strides.
"""

from .._jit.options import helper, jit
from .._jit.staging import alternated, lanes, place, swap
from .butterfly_small import few, whole
from .schedule import forward_sweeps
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
    v = _between(v, levels, scale) if levels else [scale * a for a in v]
    target.store(v)


def _signed(source, target, w, levels, inner, increasing):
    """A number for each coordinate, then all levels."""
    v = [c * a for c, a in zip(_numbers(w, levels), source.load(), strict=True)]
    target.store(_between(_within(v, w, inner), levels))


def _signed_back(source, target, w, levels, inner, increasing):
    """All levels, then a number for each coordinate: the transpose of `_signed`."""
    v = _between(_within(source.load(), w, inner), levels)
    numbers = _numbers(w, levels)
    target.store([c * a for c, a in zip(numbers, v, strict=True)])


def _numbers(w, levels):
    """What the rows of a group are multiplied by."""
    return [w.read(w.p + j * w.unit) for j in range(1 << levels)]


def _tiles(body, back=False, inner=0, same=False):
    """Make what is done with a tile; `body` is its sweep of the smallest strides.

    That is the first sweep, or with `back` the last.
    """
    three, two = (sweep(_plain, k, 1, True) for k in (3, 2))
    small_three, small_two = (
        sweep(body, k, 1, True, inner=inner, same=same) for k in (3, 2)
    )

    @helper
    def run(x, w, y, rows, several, samples, p, unit):
        """All levels, the first sweep from x to y and the others in place.

        There may be `several` times so many rows, one sample after the other.
        """
        threes, twos = forward_sweeps(rows)
        steps = threes + twos
        for step in range(steps):
            q = steps - 1 - step if back else step
            t = 3 * min(q, threes) + 2 * max(q - threes, 0)
            groups = several * (rows >> t + (3 if q < threes else 2))
            if q == 0 and threes > 0:
                small_three((x, y), (w,), p, unit << 3, 1, groups, samples)
            elif q == 0:
                small_two((x, y), (w,), p, unit << 2, 1, groups, samples)
            elif q < threes:
                three((y, y), (), p, 0, 1 << t, groups, samples)
            else:
                two((y, y), (), p, 0, 1 << t, groups, samples)

    return run


_copied = sweep(_plain, 0, 1, True)
_few_samples = few(_scaled, True)
_rows = _tiles(_scaled, inner=ALL)
_columns = _tiles(_scaled, same=True)


@jit
def hadamard_few(x, scale, y, n):
    """y = H x for samples below four registers, an even number of registers in all.

    All arrays are flat; `scale` fills a register of the same number.
    """
    _few_samples((whole(x, n), whole(y, n)), (scale,), n, len(x) // lanes(x))


@jit
def hadamard_rows(x, scale, y, n, together):
    """As `hadamard_few`, for n at least four registers; y may be x.

    So many samples are worked on together.
    """
    u = lanes(x)
    for start in range(0, len(x), n * together):
        several = min(together, (len(x) - start) // n)
        target = place(y, start, u, 0)
        _rows(place(x, start, u, 0), scale, target, n // u, several, 1, 0, 0)


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
            source, inside = place(x, start, count, u), place(tile, 0, samples * u, u)
            _columns(source, scale, inside, n, 1, samples, 0, 0)
            target = place(y, start, count, u)
            _copied((inside, target), (), 0, 0, 1, n, samples)
            start += samples * u


@helper
def _pairs(y, start, apart, length, c):
    """Sums and differences of y[start + i] and y[start + apart + i], times c[0]."""
    low, high = y[start : start + length], y[start + apart :]
    for i in range(length):  # not from start: an index that may be negative is slow
        a, b = c[0] * low[i], c[0] * high[i]
        low[i], high[i] = a + b, a - b


@helper
def _copy(x, y, n):
    for i in range(n):
        y[i] = x[i]


def _rounds(tiles, back):
    """Make the rounds of a rotation of size n, or of its transpose, in place.

    A round is signs and H of the first m coordinates, signs and H of the last m, then
    pairs of coordinates ceil(n / 2) apart; or the first alone for n = m.
    """

    @helper
    def run(y, w, c, start, each, row, n, m, samples, unit):
        """Of what starts at y[start]; a coordinate is `each` numbers."""
        steps, rest, half = len(w) // m, n - m, n // 2
        for step in range(steps):
            q = steps - 1 - step if back else step
            second = rest > 0 and q % 2 == 1
            if back and second:
                _pairs(y, start, (n - half) * each, half * each, c)
            here = place(y, start + (rest * each if second else 0), row, row // samples)
            tiles(here, w, here, m * each // row, 1, samples, q * m, unit)
            if second and not back:
                _pairs(y, start, (n - half) * each, half * each, c)

    return run


def _rotations(back):
    """Make the kernels of a rotation, or of its transpose."""
    body = _signed_back if back else _signed
    rows = _rounds(_tiles(body, back, inner=ALL), back)
    columns = _rounds(_tiles(body, back, same=True), back)
    return rows, columns


_rotate, _rotate_columns = _rotations(False)
_turn_back, _turn_back_columns = _rotations(True)


@jit
def rotate_rows(x, w, c, y, n, m):
    """y = R x for each sample of x, all flat, real; m at least four registers.

    `w` holds m numbers for each H, sqrt(1 / m) with signs, c[0] is sqrt(1 / 2).
    """
    u = lanes(x)
    for start in range(0, len(x), n):
        _copy(x[start:], y[start:], n)
        _rotate(y, w, c, start, 1, u, n, m, 1, u)


@jit
def rotate_back_rows(x, w, c, y, n, m):
    """As `rotate_rows`, y = R^T x."""
    u = lanes(x)
    for start in range(0, len(x), n):
        _copy(x[start:], y[start:], n)
        _turn_back(y, w, c, start, 1, u, n, m, 1, u)


@jit
def rotate_columns(x, w, c, y, tile, n, m, count, first, last):
    """y = R x for the columns first ... last - 1 of x, (n, count), flat."""
    u = lanes(x)
    together, start = len(tile) // (n * u), first
    while start < last:
        samples = min(together, max((last - start) // u, 1))
        start = min(start, last - samples * u)
        inside, row = place(tile, 0, samples * u, u), samples * u
        _copied((place(x, start, count, u), inside), (), 0, 0, 1, n, samples)
        _rotate_columns(tile, w, c, 0, row, row, n, m, samples, 1)
        _copied((inside, place(y, start, count, u)), (), 0, 0, 1, n, samples)
        start += samples * u


@jit
def rotate_back_columns(x, w, c, y, tile, n, m, count, first, last):
    """As `rotate_columns`, y = R^T x."""
    u = lanes(x)
    together, start = len(tile) // (n * u), first
    while start < last:
        samples = min(together, max((last - start) // u, 1))
        start = min(start, last - samples * u)
        inside, row = place(tile, 0, samples * u, u), samples * u
        _copied((place(x, start, count, u), inside), (), 0, 0, 1, n, samples)
        _turn_back_columns(tile, w, c, 0, row, row, n, m, samples, 1)
        _copied((inside, place(y, start, count, u)), (), 0, 0, 1, n, samples)
        start += samples * u
