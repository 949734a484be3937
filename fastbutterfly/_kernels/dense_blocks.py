"""Blocks: layers of dense blocks of any size, on samples side by side.

A register holds one coordinate of neighbouring samples. A layer (a, b, c, d) reads
coordinates (i, :, k) of an array (a, c, d) and writes those of an array (a, b, d), for
all i and k, with a block each. A block's outputs come in fours, the last of them up to
five; the weights of a four are in the order (input, output). Where a coordinate's
registers lie is told by a place, see `sweep.py`.
"""

from .._jit.options import helper
from .._jit.staging import Sum, loop, narrowed, staged, swap
from .layers import Weights, outer, times

FOUR = 4


def _registers(place, coordinate, h, samples=2):
    """A coordinate's registers of samples h, h + 1."""
    array, start, row, sample = place
    at = start + coordinate * row
    return [array.load(at + (h + g) * sample) for g in range(samples)]


def product(outputs, inputs=None, one=False):
    """Make the product with blocks, for groups of so many outputs from `first` on.

    Unrolled for a given number of inputs. For one sample registers are single numbers.
    """
    samples = 1 if one else 2

    @staged
    def over(source, target, w, p, a, b, c, d, first, groups, count):
        if one:
            source, target = ((narrowed(a), *rest) for a, *rest in (source, target))
            w = narrowed(w)
        y, start, row, sample = target
        width, inner = 1 + w.is_complex, c if inputs is None else inputs
        for i in loop(0, a):
            for k in loop(0, d):
                for q in loop(0, groups):
                    o = q * outputs + first
                    at = (p + ((i * d + k) * b + o) * c) * width
                    for h in loop(0, count, samples):
                        x = _registers(source, i * c * d + k, h, samples)
                        weights = Weights(w, at, True)
                        sums = [
                            [Sum(times(weights[r], v)) for v in x]
                            for r in range(outputs)
                        ]
                        for j in loop(1, inner):
                            x = _registers(source, (i * c + j) * d + k, h, samples)
                            weights = Weights(w, at + j * (outputs * width), True)
                            for r, pair in enumerate(sums):
                                for total, v in zip(pair, x, strict=True):
                                    total.add(times(weights[r], v))
                        for r, pair in enumerate(sums):
                            coordinate = (i * b + o + r) * d + k
                            for g, total in enumerate(pair):
                                to = start + coordinate * row + (h + g) * sample
                                y.store(to, total.register)

    return over


def gradient_sums(outputs):
    """Make the sums over samples for the gradient of the weights of `product`.

    In complex sums places of inputs are swapped, one for many outputs, and those of the
    sum back.
    """

    @staged
    def over(source, gradient, gw, p, a, b, c, d, first, groups, count):
        width = 1 + gw.is_complex
        for i in loop(0, a):
            for k in loop(0, d):
                for q in loop(0, groups):
                    o = q * outputs + first
                    at = (p + ((i * d + k) * b + o) * c) * width
                    rows = [(i * b + o + r) * d + k for r in range(outputs)]
                    for j in loop(0, c):
                        column = (i * c + j) * d + k
                        ends = [_registers(gradient, r, 0) for r in rows]
                        starts = _registers(source, column, 0)
                        found = [
                            [Sum(v) for v in outer(width, g, starts)] for g in ends
                        ]
                        for h in loop(2, count, 2):
                            starts = _registers(source, column, h)
                            for r, terms in zip(rows, found, strict=True):
                                g = _registers(gradient, r, h)
                                more = outer(width, g, starts)
                                for total, v in zip(terms, more, strict=True):
                                    total.add(v)
                        for r, terms in enumerate(found):
                            for t, total in enumerate(terms):
                                to = at + (j * outputs + r) * width + t
                                last = total.register
                                gw.add_total(to, swap(last, 1) if t else last)

    return over


def _layer(make):
    """Make what is done for layer k of a table, see `mixed.py`."""
    one, two, three, four, five = (make(k) for k in range(1, FOUR + 2))

    @helper
    def run(x, y, w, table, k, count):
        t = 5 * k
        a, b, c, d, p = table[t], table[t + 1], table[t + 2], table[t + 3], table[t + 4]
        last = b % FOUR
        if last == 1 and b > 1:
            last = FOUR + 1
        first = b - last
        if first > 0:
            four(x, y, w, p, a, b, c, d, 0, first // FOUR, count)
        if last == 1:
            one(x, y, w, p, a, b, c, d, first, 1, count)
        elif last == 2:
            two(x, y, w, p, a, b, c, d, first, 1, count)
        elif last == 3:
            three(x, y, w, p, a, b, c, d, first, 1, count)
        elif last == 5:
            five(x, y, w, p, a, b, c, d, first, 1, count)

    return run


def _product_layer(one=False):
    """Square blocks of 2 ... 5 are unrolled: 1.3 times as fast."""
    two, three, four, five = (product(k, k, one) for k in range(2, FOUR + 2))
    general = _layer(lambda outputs: product(outputs, one=one))

    @helper
    def run(x, y, w, table, k, count):
        t = 5 * k
        a, b, c, d, p = table[t], table[t + 1], table[t + 2], table[t + 3], table[t + 4]
        if b == 2 and c == 2:
            two(x, y, w, p, a, b, c, d, 0, 1, count)
        elif b == 3 and c == 3:
            three(x, y, w, p, a, b, c, d, 0, 1, count)
        elif b == 4 and c == 4:
            four(x, y, w, p, a, b, c, d, 0, 1, count)
        elif b == 5 and c == 5:
            five(x, y, w, p, a, b, c, d, 0, 1, count)
        else:
            general(x, y, w, table, k, count)

    return run


layer_product, layer_product_of_one = _product_layer(), _product_layer(one=True)
layer_sums = _layer(gradient_sums)
