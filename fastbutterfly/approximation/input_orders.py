"""Orders of the inputs that may turn a matrix into a butterfly, and their choice."""

from itertools import pairwise

import numpy as np

from .._base import arguments
from .._base.permutations import inverse, sequency
from .._plans import patterns
from .leading_vectors import best_range
from .splitting import Split, product

SAMPLES = 8  # parts looked at for each cut and order
CLEARLY = 0.8  # of the squared error: what another order may leave at most to be taken

SEQUENCY = "sequency"  # columns of the Walsh matrix as those of the Hadamard matrix

# An order of the digits of an index, from the slowest, as axes of the identity's.
ORDERS = {
    "identity": lambda axes: axes,
    "bit_reversal": lambda axes: axes[::-1],
    "even_odd": lambda axes: axes[-1:] + axes[:-1],
    "shuffle": lambda axes: axes[1:] + axes[:1],
    "transpose": lambda axes: axes[len(axes) // 2 :] + axes[: len(axes) // 2],
    SEQUENCY: None,
}


def choose(permutation, matrix, chain):
    """Name of the order, and which column comes at each place; None: as they are."""
    if permutation is None:
        return "identity", None
    if not isinstance(permutation, str):
        n = matrix.shape[1]
        index = arguments.as_index("permutation", permutation, n)
        if index is not None and len(index) != n:
            raise ValueError(
                f"permutation must order all {n} coordinates, got {len(index)}"
            )
        return "given", None if index is None else inverse(index)
    names = _names(chain)
    if permutation != "auto":
        arguments.as_choice(
            "permutation", permutation, {**dict.fromkeys(names), "auto": 0}
        )
        return permutation, _source(permutation, chain)
    name = _best(matrix, chain)
    return name, _source(name, chain)


def _names(chain):
    """The orders there are; that by sequency is one of the bits of an index only."""
    return [name for name in ORDERS if name != SEQUENCY or set(_digits(chain)) <= {2}]


def _source(name, chain):
    """Which of the coordinates 0 ... n - 1 comes at each place; None: all in place."""
    digits = _digits(chain)
    if name == SEQUENCY:
        return inverse(sequency(patterns.n_in(chain[0])))
    axes = ORDERS[name](list(range(len(digits))))
    shape = [digits[axes.index(axis)] for axis in range(len(digits))]
    n = patterns.n_in(chain[0])
    source = np.arange(n).reshape(shape).transpose(axes).ravel()
    return None if np.array_equal(source, np.arange(n)) else source


def _digits(chain):
    """Radices of an input's index, from the slowest."""
    outer = [layer[0] for layer in reversed(chain)]
    digits = [outer[0], *(b // a for a, b in pairwise(outer))]
    digits += [chain[0][2], chain[0][3]]
    return [digit for digit in digits if digit > 1]


def _best(matrix, chain):
    """Name of the order that seems to leave the least error."""
    a, _, _, d = product(chain)
    if a * d > 1 or len(chain) == 1:
        return "identity"
    best, least = "identity", _left(matrix, chain, None)
    for name in _names(chain):
        source = _source(name, chain)
        if source is None or least < np.finfo(float).eps:
            continue
        left = _left(matrix, chain, source)
        if left < CLEARLY * least:
            best, least = name, left
    return best


def _left(matrix, chain, source):
    """Share of the squared norm that a few cuts lose in a few parts."""
    cuts = {1, len(chain) // 2, len(chain) - 1}
    total = 0.0
    for cut in sorted(cuts):
        parts = _some(
            matrix, Split.of(product(chain[cut:]), product(chain[:cut])), source
        )
        basis = best_range(*parts, rough=True)
        rest = parts[0] - basis @ (basis.conj().swapaxes(1, 2) @ parts[0])
        norm = np.linalg.norm(parts[0])
        total += (np.linalg.norm(rest) / norm) ** 2 if norm else 0.0
    return total


def _some(matrix, split, source):
    """A few parts of the node that is the whole matrix, and their rank."""
    rng = np.random.default_rng(0)
    p, q = rng.integers(split.p, size=SAMPLES), rng.integers(split.q, size=SAMPLES)
    rows = np.arange(split.m) * split.p + p[:, np.newaxis]
    columns = q[:, np.newaxis] * split.n + np.arange(split.n)
    if source is not None:
        columns = source[columns]
    return matrix[rows[:, :, np.newaxis], columns[:, np.newaxis]], split.r
