"""Chainable patterns, and splits of their products into independent small matrices.

A chain is a tuple of patterns (a, b, c, d) in order of application, whose strides d
grow (`fault` has the conditions). The product of consecutive layers has a pattern
again. Such a product is called a node, and stored as its blocks (a * d, b, c).
"""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from .._base import arguments
from .._plans import patterns

SLAB = 1 << 16  # elements copied at a time: 512 kB, about a core's cache


def as_chain(pattern):
    """A chain from patterns whose strides grow or shrink; whether it is transposed.

    Patterns with shrinking strides become the chain of the transposed matrix.
    """
    pattern = patterns.as_patterns(pattern)
    transposed = patterns.transposed(pattern)
    if _first_fault(pattern) is None:
        return pattern, False
    if _first_fault(transposed) is None:
        return transposed, True
    shrinks = patterns.stride_of(pattern) == "decreasing"
    k, why = _first_fault(transposed if shrinks else pattern)
    first, last = (
        (len(pattern) - 1 - k, len(pattern) - 2 - k) if shrinks else (k, k + 1)
    )
    where = ", both transposed" if shrinks else ""
    raise ValueError(
        f"pattern must be chainable: layer {last}, {pattern[last]}, cannot follow "
        f"layer {first}, {pattern[first]}{where}: {why}; strides d must grow from "
        "layer to layer, each dividing the next, and that b * d; or shrink likewise"
    )


def _first_fault(chain):
    """Index of the first layer that no chain continues from, and why; None if none."""
    for k, (first, last) in enumerate(pairwise(chain)):
        why = fault(last, first)
        if why:
            return k, why
    return None


def square_pattern(n, stride, radices, rank):
    """Pattern of a square butterfly of size n, with `rank` paths from input to output.

    Between two layers there are rank * n coordinates.
    """
    radices = _radices(radices, n)
    if not radices:
        return ((1, 1, 1, 1),)
    rank = arguments.as_size("rank", rank)
    pattern, last = [], len(radices) - 1
    for k, (a, b, c, d) in enumerate(patterns.mixed(radices)):
        pattern.append((a, b * (1 if k == last else rank), c * (rank if k else 1), d))
    return tuple(pattern) if stride == "increasing" else patterns.transposed(pattern)


def _radices(radices, n):
    try:
        return patterns.as_radices(radices, n)
    except ValueError as error:
        if radices is not None:
            raise
        raise ValueError(
            f"A must have a size without a prime factor above {patterns.LARGEST}, got "
            f"{n}; append zeros to it, or give a pattern of your own"
        ) from error


def fault(last, first):
    """The condition of chains that `last` after `first` violates, in words; or None."""
    (a1, _, c1, d1), (a2, b2, _, d2) = last, first
    if a1 * c1 * d1 != a2 * b2 * d2:
        return f"its {a1 * c1 * d1} inputs are not the {a2 * b2 * d2} outputs"
    if a2 % a1:
        return f"its a = {a1} does not divide a = {a2}"
    if d1 % d2:
        return f"its d = {d1} is no multiple of d = {d2}"
    if (b2 * d2) % d1:
        return f"its d = {d1} does not divide b * d = {b2 * d2}"
    return None


def product(chain):
    """Pattern of the product of all layers."""
    return reduce(_product, chain)


def _product(first, last):
    (a1, b1, _, d1), (a2, _, c2, d2) = last, first
    return a1, b1 * d1 // d2, a2 * c2 // a1, d2


def ranks(chain):
    """Rank of the parts at each cut between two layers."""
    return [b * d // last[3] for (_, b, _, d), last in pairwise(chain)]


@dataclass(frozen=True)
class Split:
    """A node as the product of X, the layers applied last, and Y, those applied first.

    Each of the a * d blocks of the node has p x q parts of m x n elements, and each
    part of X Y is a part of X, m x r, times a part of Y, r x n. No two parts share an
    element of X or Y: so the best rank-r approximation of each part is the best X Y.
    """

    a: int
    d: int
    p: int
    q: int
    m: int
    n: int
    r: int

    @classmethod
    def of(cls, last, first):
        """The split of the product of these two patterns."""
        (a1, b1, _, d1), (a2, b2, c2, d2) = last, first
        p = d1 // d2
        return cls(a1, d2, p, a2 // a1, b1, c2, b2 // p)

    def parts(self, node):
        """View (a, d, p, q, m, n) of the node's blocks."""
        shape = self.a, self.d, self.m, self.p, self.q, self.n
        return node.reshape(shape).transpose(0, 1, 3, 4, 2, 5)

    def parts_of_last(self, blocks):
        """View (a, d, p, q, m, r) of the blocks of X."""
        shape = self.a, self.p, self.d, self.m, self.q, self.r
        return blocks.reshape(shape).transpose(0, 2, 1, 4, 3, 5)

    def parts_of_first(self, blocks):
        """View (a, d, p, q, r, n) of the blocks of Y."""
        shape = self.a, self.q, self.d, self.r, self.p, self.n
        return blocks.reshape(shape).transpose(0, 2, 4, 1, 3, 5)

    def as_node(self, parts):
        """Inverse of `parts`."""
        blocks = parts.transpose(0, 1, 4, 2, 3, 5)
        return blocks.reshape(self.a * self.d, self.m * self.p, self.q * self.n)

    def as_last(self, parts):
        """Inverse of `parts_of_last`."""
        blocks = parts.transpose(0, 2, 1, 4, 3, 5)
        return blocks.reshape(self.a * self.p * self.d, self.m, self.q * self.r)

    def as_first(self, parts):
        """Inverse of `parts_of_first`."""
        blocks = parts.transpose(0, 3, 1, 4, 2, 5)
        return blocks.reshape(self.a * self.q * self.d, self.r * self.p, self.n)

    def slabs(self):
        """Slices of p whose parts have about SLAB elements together."""
        slab = self.a * self.d * self.q * self.m * self.n
        step = max(1, SLAB // slab)
        return [slice(k, min(k + step, self.p)) for k in range(0, self.p, step)]


def cheapest(chain):
    """The cut with the fewest elements in both halves, and its split.

    Of equal ones the most central: the tree is then balanced.
    """

    def size(cut):
        halves = product(chain[:cut]), product(chain[cut:])
        return sum(map(math.prod, halves)), abs(2 * cut - len(chain))

    cut = min(range(1, len(chain)), key=size)
    return cut, Split.of(product(chain[cut:]), product(chain[:cut]))
