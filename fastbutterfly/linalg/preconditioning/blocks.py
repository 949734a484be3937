"""Sizes of the blocks, and ranks, of the butterflies of a preconditioner."""

import math

from ..._plans.patterns import LARGEST, as_radices
from ...approximation import square_pattern

RANKS = 4, 8, 16  # tried in turn if the rank is not given
RADIX = 16  # of a layer, where the factors of n allow it


def choose_radices(n):
    """Sizes of blocks near RADIX whose product is n, or an error for large primes."""
    try:
        factors = sorted(as_radices(None, n), reverse=True)
    except ValueError as error:
        raise ValueError(
            f"A must have a size without a prime factor above {LARGEST}, got {n}"
        ) from error
    # The largest factors first, each to the smallest radix: nearly equal products.
    radices = [1] * max(1, math.ceil(math.log(n, RADIX) - 1e-9))
    for factor in factors:
        radices.sort()
        radices[0] *= factor
    return [radix for radix in radices if radix > 1]


def ranks_to_try(radices, terms):
    """The smallest rank, and larger ones that take at most n^2 weights."""
    first, *larger = RANKS
    n = math.prod(radices)
    weights = {
        rank: sum(map(math.prod, square_pattern(n, "increasing", radices, rank)))
        for rank in larger
    }
    return first, *(rank for rank in larger if terms * weights[rank] <= n**2)
