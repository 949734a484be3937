"""Chains: patterns whose products of layers can be cut anywhere into small parts.

A chain is a tuple of patterns (a, b, c, d), layer 0 applied first, whose strides d grow
(`fault` says what that asks for). The product of consecutive layers is again of a
pattern (a, b, c, d): a node, stored as its blocks, (a * d, b, c).
"""

import math
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from .._base import arguments
from .._plans import patterns

SLAB = 1 << 16  # numbers copied at a time: about a core's cache


def as_chain(pattern):
    """A chain from patterns whose strides grow or shrink, and whether it is reversed.

    The reverse of a chain is that of the transposed matrix.
    """
    pattern = patterns.as_patterns(pattern)
    reverse = patterns.transposed(pattern)
    if _first_fault(pattern) is None:
        return pattern, False
    if _first_fault(reverse) is None:
        return reverse, True
    shrinks = patterns.stride_of(pattern) == "decreasing"
    k, why = _first_fault(reverse if shrinks else pattern)
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
    for k, (first, last) in enumerate(pairwise(chain)):
        why = fault(last, first)
        if why:
            return k, why
    return None


def square_pattern(n, stride, radices, rank):
    """Pattern of a square butterfly of size n, with `rank` paths for each of rank 1."""
    radices = _radices(radices, n)
    if not radices:
        return ((1, 1, 1, 1),)
    rank = arguments.as_size("rank", rank)
    found, last = [], len(radices) - 1
    for k, (a, b, c, d) in enumerate(patterns.mixed(radices)):
        found.append((a, b * (1 if k == last else rank), c * (rank if k else 1), d))
    return tuple(found) if stride == "increasing" else patterns.transposed(found)


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
    """Why the layer `last` cannot follow `first` in a chain, in words; None: it can."""
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
    """Largest rank of the parts at each cut between two layers."""
    return [b * d // last[3] for (_, b, _, d), last in pairwise(chain)]


@dataclass(frozen=True)
class Split:
    """A node cut in two: X, the layers applied last, times Y, those applied first.

    Each block of the node consists of p x q parts of m x n numbers, and a part of X Y
    is a part of X, m x r, times a part of Y, r x n. No two parts share a number of X or
    Y: so the node is approximated part by part.
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
        """Cut between these two patterns."""
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
        """Slices of p, so that a few parts at a time are copied."""
        wide = self.a * self.d * self.q * self.m * self.n
        step = max(1, SLAB // wide)
        return [slice(k, min(k + step, self.p)) for k in range(0, self.p, step)]


def cheapest(chain):
    """The cut that leaves the fewest numbers in both halves, and its split."""

    def size(cut):
        halves = product(chain[:cut]), product(chain[cut:])
        return sum(map(math.prod, halves)), abs(2 * cut - len(chain))

    cut = min(range(1, len(chain)), key=size)
    return cut, Split.of(product(chain[cut:]), product(chain[:cut]))
