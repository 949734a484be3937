"""Pruned layers: from a few coordinates to all rows, or back, by products of weights.

1. Through the levels with the largest strides, a selected coordinate reaches one lane
   of rows q, q + classes, q + 2 classes, ...: the rows of class q.
2. Selected coordinates share registers, `slots` of them for each class, in whose lanes
   are different coordinates. With c the products of weights on the paths between row j
   of class q and its register k,

       down: z[q + j * classes] = sum over k of c[q, j, k] * s[q, k]
       up:   s[q, k] = sum over j of c[q, j, k] * z[q + j * classes]

3. Where there are no levels between, the layers within registers are done on the way: z
   is their outcome from the rows of a sample (up), or their input (down).
"""

from .._jit.staging import Accumulator, loop, staged
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
from .sweep import INNER, Rows

# Forward: rows and samples whose registers are in use together. A slot, loaded and
# stored once for them, is shared by four products, a product of weights by two samples.
ROWS, SAMPLES = 4, 2


def _pruned(body, rows, inner):
    """Make the loops over `rows` rows of a class at a time, all its slots innermost.

    Of `full` and `compact`, tile views, a row of the latter is a slot. `lower` and
    `paths` are arrays: weights, and for gradients their sums. Without layers within
    registers, `inner`, nothing is read from `lower`.
    """

    @staged
    def over(full, compact, lower, paths, classes, slots, rows_of_class, count):
        for q in loop(0, classes):
            for j in loop(0, rows_of_class, rows):
                for h in loop(0, count, SAMPLES):
                    number = q * rows_of_class + j
                    group = _Group(classes, slots, q, j, number, h, inner)
                    body(group, full, compact, lower, paths)

    return over


class _Group:
    """Rows j, j + 1, ... of class q, and its slots, of samples h and h + 1."""

    def __init__(self, classes, slots, q, j, number, h, inner):
        self.slots, self._inner, self._h, self._number = slots, inner, h, number
        self._row, self._step, self._slot = q + j * classes, classes, q * slots

    def row(self, view, r):
        """Row j + r of each sample."""
        return self._at(view, self._row + self._step * r)

    def slot(self, view, k):
        """Slot k of each sample."""
        return self._at(view, self._slot + k)

    def _at(self, view, row):
        array, start, step, sample = view
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

    def paths(self, array, r, k):
        """Products of weights between a row and slot k, a single weight."""
        size = array.lanes * (1 + array.is_complex)
        return Weights(array, ((self._number + r) * self.slots + k) * size)


def _up(group, full, compact, lower, paths):
    strides, rows = group.strides(lower[0], True), []
    for r in range(ROWS):
        x = group.row(full[0], r).load()
        rows.append(within(x, group.lower(lower[0], r), 0, 1, strides)[-1])
    samples = list(zip(*rows, strict=True))
    for k in loop(0, group.slots):
        slot = group.slot(compact[0], k)
        c = [group.paths(paths[0], r, k)[0] for r in range(ROWS)]
        pairs = zip(slot.load(), samples, strict=True)
        slot.store([s + combined(c, z) for s, z in pairs])


def _sums(group, array, view, r, conj=False):
    """Row r of the sums over slots."""

    def terms(k):
        c = group.paths(array, r, k)[0]
        return [partial([c], [s]) for s in group.slot(view, k).load()]

    # Of each sample; of complex ones two sums, joined once behind the loop.
    sums = [list(map(Accumulator, parts)) for parts in terms(0)]
    for k in loop(1, group.slots):
        for sums_of_sample, parts in zip(sums, terms(k), strict=True):
            for accumulator, part in zip(sums_of_sample, parts, strict=True):
                accumulator.add(part)
    return [joined([part.register for part in parts], conj) for parts in sums]


def _down(group, full, compact, lower, paths):
    strides = group.strides(lower[0], False)
    for r in range(ROWS):
        z = _sums(group, paths[0], compact[0], r)
        z = within(z, group.lower(lower[0], r), 0, 1, strides)[-1]
        group.row(full[0], r).store(z)


def _up_gradient(group, full, compact, lower, paths):
    """From x, and the gradient s of the outcome of `_up`, to the gradient of x."""
    strides = group.strides(lower[0], True)
    w, gw = (group.lower(array, 0) for array in lower)
    history = within(group.row(full[0], 0).load(), w, 0, 1, strides)
    for k in loop(0, group.slots):
        gc = group.paths(paths[1], 0, k)
        gc.add(0, outer(gc.width, history[-1], group.slot(compact[0], k).load()))
    g = _sums(group, paths[0], compact[0], 0, conj=True)
    group.row(full[1], 0).store(within_back(history, g, w, gw, 0, 1, strides))


def _down_gradient(group, full, compact, lower, paths):
    """From s, and the gradient of the outcome of `_down`, to the gradient of s."""
    strides = group.strides(lower[0], False)
    w, gw = (group.lower(array, 0) for array in lower)
    history = within(_sums(group, paths[0], compact[0], 0), w, 0, 1, strides)
    g = within_back(history, group.row(full[0], 0).load(), w, gw, 0, 1, strides)
    for k in loop(0, group.slots):
        c, gc = (group.paths(array, 0, k) for array in paths)
        gc.add(0, outer(gc.width, group.slot(compact[0], k).load(), g))
        target = group.slot(compact[1], k)
        pairs = zip(target.load(), g, strict=True)
        target.store([s + conj_times(c[0], a) for s, a in pairs])


def _without_and_with(body, rows):
    """Without and with the layers within registers."""
    return _pruned(body, rows, 0), _pruned(body, rows, INNER)


paths_up, rows_up = _without_and_with(_up, ROWS)
paths_down, rows_down = _without_and_with(_down, ROWS)
# For a gradient the history of a row is in registers as well: one row at a time.
paths_up_gradient, rows_up_gradient = _without_and_with(_up_gradient, 1)
paths_down_gradient, rows_down_gradient = _without_and_with(_down_gradient, 1)
