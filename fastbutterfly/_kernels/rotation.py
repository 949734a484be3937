"""Rotation: rounds of random signs and Hadamard transforms, in place.

R is a product of rounds, and each round, for m = n or the power of two below n,

1. multiplies the first m coordinates by signs and applies H, orthonormal;
2. does the same with the last m coordinates, if m < n;
3. rotates pairs of coordinates ceil(n / 2) apart by 45 degrees, if m < n.

The transpose runs through it backwards. The signs go with the scale sqrt(1 / m) of H,
as one factor for each coordinate, into the sweep of the smallest strides.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, tile_view
from .hadamard import copy_tile, hadamard_sweeps, mix_lanes, mix_rows
from .schedule import numbered
from .sweep import INNER


def _signed(source, target, w, levels, inner, increasing):
    """A factor for each coordinate, then all levels."""
    v = [c * a for c, a in zip(_factors(w, levels), source.load(), strict=True)]
    target.store(mix_rows(mix_lanes(v, w, inner), levels))


def _signed_back(source, target, w, levels, inner, increasing):
    """All levels, then a factor for each coordinate: the transpose of `_signed`."""
    v = mix_rows(mix_lanes(source.load(), w, inner), levels)
    factors = _factors(w, levels)
    target.store([c * a for c, a in zip(factors, v, strict=True)])


def _factors(w, levels):
    """What the rows of a group are multiplied by."""
    return [w.read(w.p + j * w.unit) for j in range(1 << levels)]


@helper
def _rotate_pairs(y, start, distance, length, c):
    """Sums and differences of y[start + i] and y[start + distance + i], times c[0]."""
    low, high = y[start : start + length], y[start + distance :]
    for i in range(length):  # not from start: an index that may be negative is slow
        a, b = c[0] * low[i], c[0] * high[i]
        low[i], high[i] = a + b, a - b


@helper
def _copy(x, y, n):
    for i in range(n):
        y[i] = x[i]


def _rounds(back, inner=0, same=False):
    """Make the rounds of a rotation, or of its transpose, in place."""
    body = _signed_back if back else _signed
    transform = hadamard_sweeps(body, back, inner, same)

    @helper
    def run(y, w, c, start, sizes, row, samples, unit):
        """On what starts at y[start], in rows of `row` elements.

        sizes: (n, m). A coordinate has row / unit elements and one in m of w.
        """
        n, m = sizes
        steps, offset, half, each = len(w) // m, n - m, n // 2, row // unit
        for step in range(steps):
            number = numbered(step, steps, not back)
            is_second = offset > 0 and number % 2 == 1
            if back and is_second:
                _rotate_pairs(y, start, (n - half) * each, half * each, c)
            first = start + (offset * each if is_second else 0)
            view = tile_view(y, first, row, row // samples)
            transform(view, w, view, m // unit, 1, samples, number * m, unit)
            if is_second and not back:
                _rotate_pairs(y, start, (n - half) * each, half * each, c)

    return run


def _row_by_row(back):
    """Make the rotation of samples that are rows, or its transpose."""
    rounds = _rounds(back, inner=INNER)

    @helper
    def run(x, w, c, y, n, m):
        u = lanes(x)
        for start in range(0, len(x), n):
            _copy(x[start:], y[start:], n)
            rounds(y, w, c, start, (n, m), u, 1, u)

    return run


def _by_columns(back):
    """Make the rotation of samples that are columns, or its transpose."""
    rounds = _rounds(back, same=True)

    @helper
    def run(x, w, c, y, tile, sizes, columns):
        """sizes: (n, m). columns: (how many x has, the first and the last to rotate).

        A tile of columns is copied, rotated and copied to y: the rows of x are as far
        apart as they are long, so sweeps over x itself would miss the cache.
        """
        (n, _), (count, first, last) = sizes, columns
        u = lanes(x)
        samples_per_tile, start = len(tile) // (n * u), first
        while start < last:
            samples = min(samples_per_tile, max((last - start) // u, 1))
            start = min(start, last - samples * u)
            inside, row = tile_view(tile, 0, samples * u, u), samples * u
            copy_tile((tile_view(x, start, count, u), inside), (), 0, 0, 1, n, samples)
            rounds(tile, w, c, 0, sizes, row, samples, 1)
            copy_tile((inside, tile_view(y, start, count, u)), (), 0, 0, 1, n, samples)
            start += samples * u

    return run


_rows, _rows_back = _row_by_row(False), _row_by_row(True)
_columns, _columns_back = _by_columns(False), _by_columns(True)


@jit
def rotate_rows(x, w, c, y, n, m):
    """y = R x for each sample of x, all flat, real; m at least four registers.

    `w` has m elements for each H, sqrt(1 / m) with signs; c[0] is sqrt(1 / 2).
    """
    _rows(x, w, c, y, n, m)


@jit
def rotate_back_rows(x, w, c, y, n, m):
    """As `rotate_rows`, y = R^T x."""
    _rows_back(x, w, c, y, n, m)


@jit
def rotate_columns(x, w, c, y, tile, sizes):
    """y = R x for the columns first ... last - 1 of x, (n, count), flat.

    sizes: (n, m, count, first, last).
    """
    n, m, count, first, last = sizes
    _columns(x, w, c, y, tile, (n, m), (count, first, last))


@jit
def rotate_back_columns(x, w, c, y, tile, sizes):
    """As `rotate_columns`, y = R^T x."""
    n, m, count, first, last = sizes
    _columns_back(x, w, c, y, tile, (n, m), (count, first, last))
