"""Sparsity patterns: distinct random rows for the non-zeros of each column."""

import numpy as np

BLOCK = 1 << 22  # random numbers in memory at a time: 32 MB


def draw_subsets(rng, count, rows, nonzeros):
    """Uniform subsets of 0 ... rows - 1, sorted, (count, nonzeros).

    Up to nonzeros^2 = rows tuples are drawn with replacement, and redrawn while they
    hold a row twice: fewer than half of them do, by the birthday bound.
    """
    if nonzeros**2 > rows:
        return _draw_by_rank(rng, count, rows, nonzeros)
    subsets = np.sort(rng.integers(rows, size=(count, nonzeros)), axis=1)
    rejected = _with_duplicates(subsets)
    while len(rejected):
        shape = len(rejected), nonzeros
        subsets[rejected] = np.sort(rng.integers(rows, size=shape), axis=1)
        rejected = rejected[_with_duplicates(subsets[rejected])]
    return subsets


def _with_duplicates(subsets):
    return np.flatnonzero((subsets[:, 1:] == subsets[:, :-1]).any(axis=1))


def _draw_by_rank(rng, count, rows, nonzeros):
    """Indices of the smallest of `rows` random numbers, for each subset."""
    blocks = np.array_split(np.arange(count), -(-count * rows // BLOCK))
    subsets = [
        np.argpartition(rng.random((len(block), rows)), nonzeros - 1)[:, :nonzeros]
        for block in blocks
    ]
    return np.sort(np.concatenate(subsets), axis=1)
