"""Peeling: a matrix estimated from few products with it and with its adjoint."""

import numpy as np

from ..arguments import adjoint_product, dense

# Rows of a block on the diagonal, at least. All of these blocks together take as many
# products as one has columns; smaller ones would cost another level of samples.
MIN_DIAGONAL_BLOCK = 32
INITIAL_SAMPLES = 16  # for each level, if the number is not given; then it is doubled


def peel(A, dtype, samples, hermitian, rng, is_accurate):
    """Estimate a matrix by peeling, or compute it if that takes no more products.

    Parameters
    ----------
    A : array, CSR array or LinearOperator, shape (n, n)
    dtype : dtype
    samples : int or None
        Random vectors for each level of blocks. None: doubled until the estimate is
        accurate, or products with the identity are cheaper.
    hermitian : bool
        Whether A^H = A, which halves the products.
    rng : Generator
    is_accurate : callable
        Estimate -> bool; not called if `samples` is given.

    Returns
    -------
    array, shape (n, n)
    bool
        Whether it is A itself, not an estimate.
    """
    count, n = samples or INITIAL_SAMPLES, A.shape[0]
    while _count_products(n, count, hermitian) < n:
        estimate = _estimate(A, dtype, count, hermitian, rng)
        if samples is not None or is_accurate(estimate):
            return estimate, False
        count *= 2
    return dense(A, dtype), True


def _count_products(n, samples, hermitian):
    """Products with A and its adjoint that `_estimate` takes."""
    *levels, leaves = _levels(n)
    return len(levels) * samples * (2 if hermitian else 4) + _largest(leaves)


def _estimate(A, dtype, samples, hermitian, rng):
    """An array near A, whose off-diagonal blocks have rank `samples`.

    From the outside in (Lin, Lu and Ying, 2011, Fast construction of hierarchical
    matrix representation from matrix-vector multiplication):

    1. On each level, estimate the two blocks that connect the halves of an interval,
       for all intervals at the same time; see `_off_diagonal_blocks`.
    2. Subtract the products of all these blocks from those of A with columns of the
       identity, which leaves the diagonal blocks, for all leaves at the same time.
    """
    n = A.shape[0]
    *levels, leaves = _levels(n)
    estimate = np.zeros((n, n), dtype)
    for level in levels:
        positions = [_halves(*interval) for interval in level]
        options = {"samples": samples, "hermitian": hermitian, "rng": rng}
        blocks = _off_diagonal_blocks(A, estimate, positions, **options)
        if not hermitian:
            positions = [pair[::-1] for pair in positions]
            blocks += _off_diagonal_blocks(A, estimate, positions, **options)
        for rows, columns, block in blocks:
            estimate[rows, columns] = block
            if hermitian:
                estimate[columns, rows] = block.conj().T
    unit = np.zeros((n, _largest(leaves)), dtype)
    for start, stop in leaves:
        unit[start:stop, : stop - start] = np.eye(stop - start)
    diagonal = A @ unit - estimate @ unit
    for start, stop in leaves:
        block = diagonal[start:stop, : stop - start]
        block = (block + block.conj().T) / 2 if hermitian else block
        estimate[start:stop, start:stop] = block
    return estimate


def _levels(n):
    """Intervals of each level, halved down to the size of the diagonal blocks."""
    levels = [[(0, n)]]
    while levels[-1][0][1] >= 2 * MIN_DIAGONAL_BLOCK:
        halves = [_halves(*interval) for interval in levels[-1]]
        levels.append([(half.start, half.stop) for pair in halves for half in pair])
    return levels


def _largest(intervals):
    return max(stop - start for start, stop in intervals)


def _halves(start, stop):
    middle = (start + stop) // 2
    return slice(start, middle), slice(middle, stop)


def _off_diagonal_blocks(A, known, positions, *, samples, hermitian, rng):
    """Estimate blocks of A - `known` that share neither rows nor columns.

    1. Multiply A - known by random vectors on the columns of each block.
    2. Q, an orthonormal basis of the product, spans the range of the block.
    3. (A - known)^H Q gives the block as Q Q^H (A - known).

    Returns
    -------
    list of (rows, columns, block)
    """
    vectors = np.zeros((len(known), samples), known.dtype)
    bases = np.zeros_like(vectors)
    for _, columns in positions:
        vectors[columns] = rng.standard_normal(vectors[columns].shape)
    products = A @ vectors - known @ vectors
    for rows, _ in positions:
        basis = np.linalg.qr(products[rows])[0]
        bases[rows, : basis.shape[1]] = basis
    if hermitian:
        coefficients = A @ bases
    else:
        coefficients = adjoint_product("A", A, bases, ', or take method="factorize"')
    coefficients = coefficients - (bases.conj().T @ known).conj().T
    return [
        (rows, columns, bases[rows] @ coefficients[columns].conj().T)
        for rows, columns in positions
    ]
