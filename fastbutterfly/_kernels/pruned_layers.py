"""Fan: from few coordinates to all rows, or back, by the products of weights on paths.

Through the levels with the largest strides, a coordinate reaches one lane of every
q-th, (q + classes)-th, ... row. Coordinates share registers, `slots` of them for each
class q, whose lanes belong to different coordinates. With c the products of weights on
the paths between row j of class q and its register k,

    down: z[q + j * classes] = sum over k of c[q, j, k] * s[q, k]
    up:   s[q, k] = sum over j of c[q, j, k] * z[q + j * classes]

Where there are no levels between, the layers within registers are done on the way: z is
what they make of the rows of a sample (up), or is what they make those of (down).
"""

from .._jit.staging import Sum, loop, staged
from .layers import (
    Weights,
    combined,
    conj_times,
    joined,
    outer,
    partial,
    strides_within,
    within,
    within_back,
)
from .sweep import Rows

ROWS, SAMPLES = 4, 2


def _fan(body, rows, inner):
    """Make the loops over `rows` rows of a class at a time, all its slots innermost.

    `many` and `few` are places, `lower` and `fan` arrays: weights, and for gradients
    their sums; a row of a place in `few` is a slot. Without layers within registers,
    `inner`, nothing is read from `lower`.
    """

    @staged
    def over(many, few, lower, fan, classes, slots, length, count):
        for q in loop(0, classes):
            for j in loop(0, length, rows):
                for h in loop(0, count, SAMPLES):
                    group = _Group(classes, slots, q, j, q * length + j, h, inner)
                    body(group, many, few, lower, fan)

    return over


class _Group:
    """Rows j, j + 1, ... of class q, and its slots, of samples h and h + 1."""

    def __init__(self, classes, slots, q, j, number, h, inner):
        self.slots, self._inner, self._h, self._number = slots, inner, h, number
        self._row, self._step, self._slot = q + j * classes, classes, q * slots

    def row(self, place, r):
        """Row j + r of each sample."""
        return self._at(place, self._row + self._step * r)

    def slot(self, place, k):
        """Slot k of each sample."""
        return self._at(place, self._slot + k)

    def _at(self, place, row):
        array, start, step, sample = place
        first = start + row * step + self._h * sample
        return Rows(array, [first + i * sample for i in range(SAMPLES)])

    def strides(self, array, increasing):
        """Strides of the layers within registers."""
        return strides_within(array, self._inner, increasing)

    def lower(self, array, r):
        """Weights of the layers within a row's registers."""
        layers = len(self.strides(array, True))
        size = 2 * layers * array.lanes * (1 + array.is_complex)
        return Weights(array, (self._row + self._step * r) * size)

    def fan(self, array, r, k):
        """Products of weights between a row and slot k, the only weight of these."""
        size = array.lanes * (1 + array.is_complex)
        return Weights(array, ((self._number + r) * self.slots + k) * size)


def _up(group, many, few, lower, fan):
    strides, rows = group.strides(lower[0], True), []
    for r in range(ROWS):
        x = group.row(many[0], r).load()
        rows.append(within(x, group.lower(lower[0], r), 0, 1, strides)[-1])
    samples = list(zip(*rows, strict=True))
    for k in loop(0, group.slots):
        slot = group.slot(few[0], k)
        c = [group.fan(fan[0], r, k)[0] for r in range(ROWS)]
        found = zip(slot.load(), samples, strict=True)
        slot.store([s + combined(c, z) for s, z in found])


def _sums(group, array, place, r, conj=False):
    """Row r of the sums over slots."""

    def terms(k):
        c = group.fan(array, r, k)[0]
        return [partial([c], [s]) for s in group.slot(place, k).load()]

    found = [list(map(Sum, parts)) for parts in terms(0)]
    for k in loop(1, group.slots):
        for sums, parts in zip(found, terms(k), strict=True):
            for so_far, part in zip(sums, parts, strict=True):
                so_far.add(part)
    return [joined([so_far.register for so_far in sums], conj) for sums in found]


def _down(group, many, few, lower, fan):
    strides = group.strides(lower[0], False)
    for r in range(ROWS):
        z = _sums(group, fan[0], few[0], r)
        z = within(z, group.lower(lower[0], r), 0, 1, strides)[-1]
        group.row(many[0], r).store(z)


def _gradient_up(group, many, few, lower, fan):
    """From x, and the gradient s of what is up, to the gradient of x."""
    strides = group.strides(lower[0], True)
    w, gw = (group.lower(array, 0) for array in lower)
    history = within(group.row(many[0], 0).load(), w, 0, 1, strides)
    for k in loop(0, group.slots):
        gc = group.fan(fan[1], 0, k)
        gc.add(0, outer(gc.width, history[-1], group.slot(few[0], k).load()))
    g = _sums(group, fan[0], few[0], 0, conj=True)
    group.row(many[1], 0).store(within_back(history, g, w, gw, 0, 1, strides))


def _gradient_down(group, many, few, lower, fan):
    """From s, and the gradient of what is down, to the gradient of s."""
    strides = group.strides(lower[0], False)
    w, gw = (group.lower(array, 0) for array in lower)
    history = within(_sums(group, fan[0], few[0], 0), w, 0, 1, strides)
    g = within_back(history, group.row(many[0], 0).load(), w, gw, 0, 1, strides)
    for k in loop(0, group.slots):
        c, gc = (group.fan(array, 0, k) for array in fan)
        gc.add(0, outer(gc.width, group.slot(few[0], k).load(), g))
        target = group.slot(few[1], k)
        found = zip(target.load(), g, strict=True)
        target.store([s + conj_times(c[0], a) for s, a in found])


def _both(body, rows):
    """Without and with the layers within registers."""
    return _fan(body, rows, 0), _fan(body, rows, 6)


fan_up, whole_fan_up = _both(_up, ROWS)
fan_down, whole_fan_down = _both(_down, ROWS)
fan_gradient_up, whole_fan_gradient_up = _both(_gradient_up, 1)
fan_gradient_down, whole_fan_gradient_down = _both(_gradient_down, 1)
