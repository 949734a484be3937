"""Peeling: a matrix estimated from few products with it and with its adjoint."""

import numpy as np

from ..arguments import adjoint_product, dense

LEAF = 32  # least rows of a block on the diagonal
SAMPLES = 16  # that are tried first


def learned(A, dtype, samples, hermitian, rng, judge):
    """Return an array near A, and whether it is A itself.

    Without a number of samples it is doubled until judge(array) is true, or until the
    identity takes no more products.
    """
    most, n = samples or SAMPLES, A.shape[0]
    while _products(n, most, hermitian) < n:
        found = _estimated(A, dtype, most, hermitian, rng)
        if samples is not None or judge(found):
            return found, False
        most *= 2
    return dense(A, dtype), True


def _products(n, samples, hermitian):
    """With A and its adjoint, that `_estimated` takes."""
    *levels, leaves = _levels(n)
    return len(levels) * samples * (2 if hermitian else 4) + _largest(leaves)


def _estimated(A, dtype, samples, hermitian, rng):
    """An array near A, whose blocks away from the diagonal have rank `samples`.

    From the outside in: the two blocks that join the halves of each interval, at the
    same time for all intervals of a level. Random columns in one half of each, less
    what the blocks found before make of them, give a basis Q of the block's range, and
    products of the adjoint with Q the rest of Q Q^H A. Columns of the identity give the
    diagonal blocks, all together. (Lin, Lu and Ying, 2011, Fast construction of
    hierarchical matrix representation from matrix-vector multiplication.)
    """
    n = A.shape[0]
    *levels, leaves = _levels(n)
    found = np.zeros((n, n), dtype)
    for level in levels:
        places = [_halves(*interval) for interval in level]
        blocks = _blocks(A, found, places, samples, hermitian, rng)
        if not hermitian:
            places = [pair[::-1] for pair in places]
            blocks += _blocks(A, found, places, samples, hermitian, rng)
        for rows, columns, block in blocks:
            found[rows, columns] = block
            if hermitian:
                found[columns, rows] = block.conj().T
    unit = np.zeros((n, _largest(leaves)), dtype)
    for start, stop in leaves:
        unit[start:stop, : stop - start] = np.eye(stop - start)
    rest = A @ unit - found @ unit
    for start, stop in leaves:
        block = rest[start:stop, : stop - start]
        block = (block + block.conj().T) / 2 if hermitian else block
        found[start:stop, start:stop] = block
    return found


def _levels(n):
    """Intervals of each level, halved until they are short."""
    levels = [[(0, n)]]
    while levels[-1][0][1] >= 2 * LEAF:
        halves = [_halves(*interval) for interval in levels[-1]]
        levels.append([(half.start, half.stop) for pair in halves for half in pair])
    return levels


def _largest(intervals):
    return max(stop - start for start, stop in intervals)


def _halves(start, stop):
    middle = (start + stop) // 2
    return slice(start, middle), slice(middle, stop)


def _blocks(A, found, places, samples, hermitian, rng):
    """Rows, columns and block for each of the places, which share neither."""
    probes = np.zeros((len(found), samples), found.dtype)
    bases = np.zeros_like(probes)
    for _, columns in places:
        probes[columns] = rng.standard_normal(probes[columns].shape)
    images = A @ probes - found @ probes
    for rows, _ in places:
        basis = np.linalg.qr(images[rows])[0]
        bases[rows, : basis.shape[1]] = basis
    if hermitian:
        rest = A @ bases
    else:
        rest = adjoint_product("A", A, bases, ', or take method="factorize"')
    rest = rest - (bases.conj().T @ found).conj().T
    return [(rows, cols, bases[rows] @ rest[cols].conj().T) for rows, cols in places]
