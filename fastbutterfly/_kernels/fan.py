"""Fan: from few coordinates to all rows, or back, by the products of weights on paths.

Through the levels with the largest strides, a coordinate reaches one lane of every
q-th, (q + classes)-th, ... row. Coordinates share registers, `slots` of them for each
class q, whose lanes belong to different coordinates. With c the products of weights on
the paths between register k of class q and row j of the class,

    down: z[q + j * classes] = sum over k of c[q, k, j] * s[q, k]
    up:   s[q, k] = sum over j of c[q, k, j] * z[q + j * classes]

Rows come in fours, registers and samples in pairs: c (classes, slots / 2, rows / 4, 2,
4), with two registers each for complex numbers.
"""

from .._simd import loop, staged
from .registers import Weights, conj_times, outer, times, total

ROWS, SLOTS, SAMPLES = 4, 2, 2


def _fan(*bodies):
    """Make the loops; the first body is for the first pair of registers of a class."""

    @staged
    def over(z, s, c, classes, pairs, fours, count):
        """z and s are places; a row of s is a register of a class."""
        for q in loop(0, classes):
            for body, ends in zip(bodies, _ends(bodies, pairs), strict=True):
                for k in loop(*ends):
                    for j in loop(0, fours):
                        number = (q * pairs + k) * fours + j
                        size = c.lanes * (1 + c.is_complex) * ROWS * SLOTS
                        weights = Weights(c, number * size)
                        for h in loop(0, count, SAMPLES):
                            first = q + j * ROWS * classes
                            rows = [first + classes * r for r in range(ROWS)]
                            slots = [(q * pairs + k) * SLOTS + r for r in range(SLOTS)]
                            at = _positions(z, rows, h), _positions(s, slots, h)
                            body(z[0], s[0], weights, *at)

    return over


def _ends(bodies, pairs):
    return [(0, pairs)] if len(bodies) == 1 else [(0, 1), (1, pairs)]


def _positions(place, rows, h):
    """Where these rows of samples h and h + 1 lie."""
    _, start, row, sample = place
    return [[start + r * row + (h + i) * sample for r in rows] for i in range(SAMPLES)]


def _up(multiply):
    def body(z, s, w, z_at, s_at):
        a = [[z.load(i) for i in rows] for rows in z_at]
        b = [[s.load(i) for i in slots] for slots in s_at]
        for k in range(SLOTS):
            c = [w[ROWS * k + r] for r in range(ROWS)]
            for h, rows in enumerate(a):
                b[h][k] = total([b[h][k], *map(multiply, c, rows)])
        _store(s, s_at, b)

    return body


def _down(multiply, add):
    def body(z, s, w, z_at, s_at):
        a = [[z.load(i) for i in rows] for rows in z_at] if add else None
        b = [[s.load(i) for i in slots] for slots in s_at]
        found = [[None] * ROWS for _ in b]
        for r in range(ROWS):
            c = [w[ROWS * k + r] for k in range(SLOTS)]
            for h, slots in enumerate(b):
                products = list(map(multiply, c, slots))
                found[h][r] = total([*products, a[h][r]] if add else products)
        _store(z, z_at, found)

    return body


def _store(array, positions, registers):
    """After all loads: the two samples may be the same one."""
    for at, found in zip(positions, registers, strict=True):
        for i, register in zip(at, found, strict=True):
            array.store(i, register)


def _sums(reverse):
    def body(z, s, w, z_at, s_at):
        a = [[z.load(i) for i in rows] for rows in z_at]
        b = [[s.load(i) for i in slots] for slots in s_at]
        for k in range(SLOTS):
            for r in range(ROWS):
                pair = [x[k] for x in b], [x[r] for x in a]
                w.add(ROWS * k + r, outer(w.width, *(pair[::-1] if reverse else pair)))

    return body


def _assign_add(multiply):
    return _down(multiply, add=False), _down(multiply, add=True)


fan_up, fan_up_conj = _fan(_up(times)), _fan(_up(conj_times))
fan_down, fan_down_conj = _fan(*_assign_add(times)), _fan(*_assign_add(conj_times))
fan_sums, fan_sums_reverse = _fan(_sums(False)), _fan(_sums(True))
