"""Orders of the inputs that may make a matrix a butterfly, and the choice of one."""

from itertools import pairwise

import numpy as np

from .._base import arguments
from .._base.permutations import inverse, sequency
from .._plans import patterns
from .leading_vectors import best_range
from .splitting import Split, product

SAMPLES = 8  # parts that are compared for each cut and order
# Another order is taken only if it leaves less than this share of the smallest squared
# error so far: errors of a sample vary, and the identity needs no permutation.
CLEARLY_BETTER = 0.8

SEQUENCY = "sequency"  # columns of the Walsh matrix as those of the Hadamard matrix

# Permutations of the digits of an index, slowest digit first, as axes for transpose().
ORDERS = {
    "identity": lambda axes: axes,
    "bit_reversal": lambda axes: axes[::-1],
    "even_odd": lambda axes: axes[-1:] + axes[:-1],
    "shuffle": lambda axes: axes[1:] + axes[:1],
    "transpose": lambda axes: axes[len(axes) // 2 :] + axes[: len(axes) // 2],
    SEQUENCY: None,
}


def choose(permutation, matrix, chain):
    """Name of the order, and the index of its columns; None for the identity."""
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
    name = _best_order(matrix, chain)
    return name, _source(name, chain)


def _names(chain):
    """The orders that exist for the chain: "sequency" only if all digits are bits."""
    return [name for name in ORDERS if name != SEQUENCY or set(_digits(chain)) <= {2}]


def _source(name, chain):
    """Index array of the order, so that column j of it is source[j]; None: identity."""
    digits = _digits(chain)
    if name == SEQUENCY:
        return inverse(sequency(patterns.n_in(chain[0])))
    axes = ORDERS[name](list(range(len(digits))))
    shape = [digits[axes.index(axis)] for axis in range(len(digits))]
    n = patterns.n_in(chain[0])
    source = np.arange(n).reshape(shape).transpose(axes).ravel()
    return None if np.array_equal(source, np.arange(n)) else source


def _digits(chain):
    """Radices of an input's index, slowest digit first."""
    outer = [layer[0] for layer in reversed(chain)]
    digits = [outer[0], *(b // a for a, b in pairwise(outer))]
    digits += [chain[0][2], chain[0][3]]
    return [digit for digit in digits if digit > 1]


def _best_order(matrix, chain):
    """Name of the order with the smallest error on a sample of parts."""
    a, _, _, d = product(chain)
    if a * d > 1 or len(chain) == 1:
        return "identity"
    best, smallest = "identity", _sampled_error(matrix, chain, None)
    for name in _names(chain):
        source = _source(name, chain)
        if source is None or smallest < np.finfo(float).eps:
            continue
        error = _sampled_error(matrix, chain, source)
        if error < CLEARLY_BETTER * smallest:
            best, smallest = name, error
    return best


def _sampled_error(matrix, chain, source):
    """Relative squared error of rank-r approximations, summed over up to three cuts.

    The cuts are after the first layer, in the middle and before the last layer; at each
    a sample of parts stands for all.
    """
    cuts = {1, len(chain) // 2, len(chain) - 1}
    total = 0.0
    for cut in sorted(cuts):
        split = Split.of(product(chain[cut:]), product(chain[:cut]))
        parts = _sample(matrix, split, source)
        basis = best_range(parts, split.r, rough=True)
        residual = parts - basis @ (basis.conj().swapaxes(1, 2) @ parts)
        norm = np.linalg.norm(parts)
        total += (np.linalg.norm(residual) / norm) ** 2 if norm else 0.0
    return total


def _sample(matrix, split, source):
    """Some parts (count, m, n) of the node that is the whole matrix."""
    rng = np.random.default_rng(0)
    p, q = rng.integers(split.p, size=SAMPLES), rng.integers(split.q, size=SAMPLES)
    rows = np.arange(split.m) * split.p + p[:, np.newaxis]
    columns = q[:, np.newaxis] * split.n + np.arange(split.n)
    if source is not None:
        columns = source[columns]
    return matrix[rows[:, :, np.newaxis], columns[:, np.newaxis]]
