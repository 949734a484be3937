"""Layers on registers, the arithmetic of all kernels; it runs while they compile.

1. A body works on a few rows of one or two samples: a list v of registers, register j +
   h * rows being row j of sample h.
2. `mix` does layers that mix rows, in groups of neighbouring levels: `levels` of them
   on rows = 2**levels, level t mixing the rows whose numbers differ in bit t.
3. `within` does layers that mix the lanes of one register, row by row.
4. `mix_back` and `within_back` are their adjoints: given what lay between the layers,
   they propagate the gradient of the outcome and add to the sums for the weights.

Weights are numbered in the order of use, see `_plans/packing.py`; so memory is read in
sequence, and the address of each weight is a constant away from that of the first.

A complex weight c is two registers, of its real part in all components and of its
imaginary part, negative at the real ones: c * a = c[0] * a + c[1] * swap(a, 1) = c[0] *
a - swap(c[1] * a, 1). Its gradient, the sum of g * conj(a), is left as two sums, of a *
g and of a * swap(g, 1) by components; `joined` in `_plans/packing.py` makes it of them,
once instead of for each sample.
"""

from .._jit.staging import swap


class Weights:
    """Weights from w[p] on: one for each lane, or the same for all lanes."""

    def __init__(self, w, p, same=False):
        self.w, self.p, self.lanes = w, p, w.lanes
        self.unit = 1 if same else w.lanes
        self.width = 1 + w.is_complex
        self.read = w.splat if same else w.load

    def __getitem__(self, k):
        """Weight number k, as one or two registers."""
        return [self.read(i) for i in self._positions(k)]

    def add(self, k, terms):
        """Add to the sums for weight number k."""
        for i, term in zip(self._positions(k), terms, strict=True):
            self.w.store(i, self.w.load(i) + term)

    def _positions(self, k):
        first = k * self.width * self.unit
        return [self.p + (first + i * self.unit) for i in range(self.width)]


def times(c, a):
    """Weight times register."""
    return c[0] * a + c[1] * swap(a, 1) if len(c) == 2 else c[0] * a


def conj_times(c, a):
    """Conjugate weight times register."""
    return c[0] * a - c[1] * swap(a, 1) if len(c) == 2 else c[0] * a


def partial(c, a):
    """Sums of weights times registers, before the two of complex weights are joined."""
    return [
        total(w[i] * x for w, x in zip(c, a, strict=True)) for i in range(len(c[0]))
    ]


def joined(sums, conj=False):
    """Sum of weights, or of their conjugates, times registers, from `partial`."""
    if len(sums) == 1:
        return sums[0]
    return sums[0] + swap(sums[1], 1) if conj else sums[0] - swap(sums[1], 1)


def combined(c, a):
    """Sum of weights times registers; swapped once, not term by term."""
    return joined(partial(c, a))


def outer(width, a, g):
    """Sums over samples for a weight's gradient, from lists of a and g."""
    sums = [total(x * y for x, y in zip(a, g, strict=True))]
    if width == 2:
        sums.append(total(x * swap(y, 1) for x, y in zip(a, g, strict=True)))
    return sums


def total(terms):
    """Sum of at least one register."""
    first, *others = terms
    return sum(others, start=first)


def _pairs(levels):
    """Level by level, the pairs of rows that a block mixes."""
    return [
        [(j, j + (1 << t)) for j in range(1 << levels) if not j >> t & 1]
        for t in range(levels)
    ]


def mix(v, w, first, levels):
    """Apply `levels` levels of 2x2 blocks, whose weights start at number `first`.

    Returns the registers before the first level and after each.
    """
    history, k = [v], first
    for level in _pairs(levels):
        v = list(v)
        for i, j in level:
            block = [w[k + c] for c in range(4)]  # loaded once for all samples
            for h in range(0, len(v), 1 << levels):
                a, b = v[h + i], v[h + j]
                v[h + i] = times(block[0], a) + times(block[1], b)
                v[h + j] = times(block[2], a) + times(block[3], b)
            k += 4
        history.append(v)
    return history


def mix_back(history, g, w, gw, first, levels):
    """Adjoint of `mix`: from the gradient g of its outcome to that of its input.

    `history` is what `mix` returns; `gw` gets the sums for the weights' gradient.
    """
    g, rows, k = list(g), 1 << levels, first + (2 * levels << levels)
    for level, v in zip(_pairs(levels)[::-1], history[-2::-1], strict=True):
        for i, j in level[::-1]:
            k -= 4
            ends = [(i, i), (i, j), (j, i), (j, j)]
            for c, (end, start) in enumerate(ends):
                gw.add(k + c, outer(w.width, v[start::rows], g[end::rows]))
            block = [w[k + c] for c in range(4)]
            for h in range(0, len(g), rows):
                a, b = g[h + i], g[h + j]
                g[h + i] = conj_times(block[0], a) + conj_times(block[2], b)
                g[h + j] = conj_times(block[1], a) + conj_times(block[3], b)
    return g


def strides_within(w, inner, increasing):
    """Strides of at most `inner` layers that mix the lanes of a register."""
    count = min(inner, w.lanes.bit_length() - 1)
    return [1 << t for t in (range(count) if increasing else reversed(range(count)))]


def within(v, w, first, rows, strides):
    """As `mix`, the layers that mix lanes: own[i] * v[i] + other[i] * v[i ^ s].

    Two weights for each lane, so a 2x2 block costs two products and one swap.
    """
    history, k = [v], first
    for s in strides:
        v = list(v)
        for j in range(rows):
            own, other = w[k], w[k + 1]
            for h in range(j, len(v), rows):
                moved = swap(v[h], s * w.width)
                v[h] = combined([own, other], [v[h], moved])
            k += 2
        history.append(v)
    return history


def within_back(history, g, w, gw, first, rows, strides):
    """Adjoint of `within`, as `mix_back`."""
    g, k = list(g), first + 2 * rows * len(strides)
    for s, v in zip(strides[::-1], history[-2::-1], strict=True):
        for j in range(rows)[::-1]:
            k -= 2
            moved = [swap(a, s * w.width) for a in v[j::rows]]
            gw.add(k, outer(w.width, v[j::rows], g[j::rows]))
            gw.add(k + 1, outer(w.width, moved, g[j::rows]))
            own, other = w[k], w[k + 1]
            for h in range(j, len(g), rows):
                moved = swap(conj_times(other, g[h]), s * w.width)
                g[h] = conj_times(own, g[h]) + moved
    return g
