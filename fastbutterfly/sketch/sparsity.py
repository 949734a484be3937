"""Places: different random rows for the non-zeros of each column of a sparse matrix."""

import numpy as np

PIECE = 1 << 22  # random numbers at a time


def draw_places(rng, count, rows, nonzeros):
    """Uniform subsets of 0 ... rows - 1, sorted, (count, nonzeros)."""
    if nonzeros**2 > rows:
        return _by_rank(rng, count, rows, nonzeros)
    found = np.sort(rng.integers(rows, size=(count, nonzeros)), axis=1)
    again = _repeated(found)
    while len(again):
        found[again] = np.sort(rng.integers(rows, size=(len(again), nonzeros)), axis=1)
        again = again[_repeated(found[again])]
    return found


def _repeated(found):
    return np.flatnonzero((found[:, 1:] == found[:, :-1]).any(axis=1))


def _by_rank(rng, count, rows, nonzeros):
    """The places of the smallest of as many random numbers as there are rows."""
    pieces = np.array_split(np.arange(count), -(-count * rows // PIECE))
    found = [
        np.argpartition(rng.random((len(piece), rows)), nonzeros - 1)[:, :nonzeros]
        for piece in pieces
    ]
    return np.sort(np.concatenate(found), axis=1)
