"""Dense blocks: layers of blocks of any size, on samples side by side.

A layer (a, b, c, d) reads coordinates (i, :, k) of an array (a, c, d) and writes those
of an array (a, b, d), for all i and k, with a block b x c each. A register holds one
coordinate of neighbouring samples.

1. A block's outputs come in fours; what remains is one of 1, 2 or 3, or makes the last
   four a five.
2. For each four, and two registers of samples: over all inputs, load the input's
   registers and four weights, and add to 8 sums, which stay in registers.
3. Store the sums.

With two inputs and a weight that makes 11 of the 16 registers of most CPUs, and loads
each input for four products and each weight for two. The weights of a four are in the
order (input, output), as they are read. Where a coordinate's registers lie is told by a
tile view whose rows are coordinates.
"""

from .._jit.options import helper
from .._jit.staging import Accumulator, loop, staged, swap, with_one_lane
from .layers import Weights, outer, times

FOUR = 4


def _registers(view, coordinate, h, samples=2):
    """A coordinate's registers of samples h, h + 1."""
    array, start, row, sample = view
    at = start + coordinate * row
    return [array.load(at + (h + g) * sample) for g in range(samples)]


def product(outputs, inputs=None, one=False):
    """Make the product with blocks, for groups of so many outputs from `first` on.

    Unrolled for a given number of inputs. For `one` sample registers are single
    elements.
    """
    samples = 1 if one else 2

    @staged
    def over(source, target, w, layer, first, groups, count):
        if one:
            source, target = ((with_one_lane(v), *at) for v, *at in (source, target))
            w = with_one_lane(w)
        (a, b, c, d, p), (y, start, row, sample) = layer, target
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
                            [Accumulator(times(weights[r], v)) for v in x]
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

    In complex sums the components of inputs are swapped, one for many outputs, and
    those of the sum back.
    """

    @staged
    def over(source, gradient, gw, layer, first, groups, count):
        (a, b, c, d, p), width = layer, 1 + gw.is_complex
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
                        sums = [
                            [Accumulator(v) for v in outer(width, g, starts)]
                            for g in ends
                        ]
                        for h in loop(2, count, 2):
                            starts = _registers(source, column, h)
                            for r, totals in zip(rows, sums, strict=True):
                                g = _registers(gradient, r, h)
                                terms = outer(width, g, starts)
                                for total, v in zip(totals, terms, strict=True):
                                    total.add(v)
                        for r, totals in enumerate(sums):
                            for t, total in enumerate(totals):
                                to = at + (j * outputs + r) * width + t
                                v = total.register
                                gw.add_total(to, swap(v, 1) if t else v)

    return over


@helper
def _layer_of(table, k):
    """Layer k of a table: a, b, c, d, and where its weights begin."""
    t = 5 * k
    return table[t], table[t + 1], table[t + 2], table[t + 3], table[t + 4]


def _grouped(make):
    """Make what is done for a layer, its outputs in fours and what remains."""
    one, two, three, four, five = (make(k) for k in range(1, FOUR + 2))

    @helper
    def run(x, y, w, layer, count):
        outputs = layer[1]
        remaining = outputs % FOUR
        if remaining == 1 and outputs > 1:
            remaining = FOUR + 1  # one output alone would load each input for itself
        first = outputs - remaining
        if first > 0:
            four(x, y, w, layer, 0, first // FOUR, count)
        if remaining == 1:
            one(x, y, w, layer, first, 1, count)
        elif remaining == 2:
            two(x, y, w, layer, first, 1, count)
        elif remaining == 3:
            three(x, y, w, layer, first, 1, count)
        elif remaining == 5:
            five(x, y, w, layer, first, 1, count)

    return run


def _product_layer(one=False):
    """Make the product with a layer.

    Square blocks of 2 ... 5 are unrolled: 1.3 times as fast.
    """
    two, three, four, five = (product(k, k, one) for k in range(2, FOUR + 2))
    general = _grouped(lambda outputs: product(outputs, one=one))

    @helper
    def run(x, y, w, table, k, count):
        layer = _layer_of(table, k)
        _, b, c, _, _ = layer
        if b == 2 and c == 2:
            two(x, y, w, layer, 0, 1, count)
        elif b == 3 and c == 3:
            three(x, y, w, layer, 0, 1, count)
        elif b == 4 and c == 4:
            four(x, y, w, layer, 0, 1, count)
        elif b == 5 and c == 5:
            five(x, y, w, layer, 0, 1, count)
        else:
            general(x, y, w, layer, count)

    return run


def _sums_layer():
    """Make the sums for the gradient of a layer's weights."""
    grouped = _grouped(gradient_sums)

    @helper
    def run(x, g, gw, table, k, count):
        grouped(x, g, gw, _layer_of(table, k), count)

    return run


layer_product, layer_product_of_one = _product_layer(), _product_layer(one=True)
layer_sums = _sums_layer()
