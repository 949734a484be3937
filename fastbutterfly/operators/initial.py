"""Initial weights of butterflies: of 2x2 blocks, and of blocks of any size.

`INITS` draw the weights (depth, n/2, 2, 2) of a power-of-two butterfly, `BLOCK_INITS`
the blocks (a * d, b, c) of one layer of pattern (a, b, c, d).
"""

import numpy as np


def orthogonal_weights(n, depth, rng, is_complex=False):
    """Each block a rotation or reflection by a uniform angle; complex: unitary."""
    shape = depth, n // 2
    angle = rng.uniform(0, 2 * np.pi, shape)
    flip = rng.choice([-1.0, 1.0], shape)
    c, s = np.cos(angle), np.sin(angle)
    weights = np.empty((*shape, 2, 2))
    weights[..., 0, 0], weights[..., 0, 1] = c, -flip * s
    weights[..., 1, 0], weights[..., 1, 1] = s, flip * c
    if is_complex:
        rows, columns = np.exp(2j * np.pi * rng.uniform(size=(2, *shape, 2)))
        weights = weights * rows[..., :, None] * columns[..., None, :]
    return weights


def gaussian_weights(n, depth, rng, is_complex=False):
    """Entries N(0, 1/2), which keep the expected squared norm; complex: circular."""
    shape = depth, n // 2, 2, 2
    if not is_complex:
        return rng.normal(0, np.sqrt(0.5), shape)
    real, imaginary = rng.normal(0, 0.5, (2, *shape))
    return real + 1j * imaginary


def identity_weights(n, depth, rng=None, is_complex=False):
    """Each block the identity."""
    return np.broadcast_to(np.eye(2), (depth, n // 2, 2, 2)).copy()


def hadamard_weights(n, depth, rng=None, is_complex=False):
    """The orthonormal Hadamard matrix, natural order."""
    block = np.array([[1.0, 1.0], [1.0, -1.0]]) * np.sqrt(0.5)
    return np.broadcast_to(block, (depth, n // 2, 2, 2)).copy()


def fjlt_weights(n, depth, rng, is_complex=False):
    """H D: random signs D on the columns of the first layer, then Hadamard."""
    weights = hadamard_weights(n, depth)
    signs = rng.choice([-1.0, 1.0], n)
    if depth:
        weights[0] *= signs.reshape(-1, 1, 2)
    return weights


INITS = {
    "orthogonal": orthogonal_weights,
    "gaussian": gaussian_weights,
    "fjlt": fjlt_weights,
    "identity": identity_weights,
}


def orthogonal_blocks(rng, shape, is_complex):
    """Orthogonal or unitary blocks, uniformly distributed (Mezzadri, 2007)."""
    q, r = np.linalg.qr(_gaussian(rng, shape, is_complex))
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    return q * (diagonal / np.abs(diagonal))[..., np.newaxis, :]


def gaussian_blocks(rng, shape, is_complex):
    """Entries N(0, 1/c) for c inputs, which keep the expected squared norm."""
    return _gaussian(rng, shape, is_complex) / np.sqrt(shape[-1])


def identity_blocks(rng, shape, is_complex):
    """Each block the identity."""
    return np.broadcast_to(np.eye(*shape[-2:]), shape).copy()


def hartley_blocks(rng, shape, is_complex):
    """Each block the orthonormal Hartley matrix; for powers of two Hadamard."""
    return np.broadcast_to(hartley(shape[-1]), shape).copy()


def hartley(r):
    """Symmetric and orthonormal, with entries of at most sqrt(2 / r) (Bracewell, 1983).

    For powers of two the Hadamard matrix, whose entries are as small as can be.
    """
    if r & (r - 1) == 0:
        matrix = np.ones((1, 1))
        while len(matrix) < r:
            matrix = np.kron(matrix, [[1.0, 1.0], [1.0, -1.0]])
        return matrix / np.sqrt(r)
    angle = 2 * np.pi / r * (np.outer(np.arange(r), np.arange(r)) % r)
    return (np.cos(angle) + np.sin(angle)) / np.sqrt(r)


def rotation_blocks(angles, dtype):
    """[[cos t, -sin t], [sin t, cos t]] for each angle t in radians, (..., 2, 2)."""
    c, s = np.cos(angles, dtype=dtype), np.sin(angles, dtype=dtype)
    return np.stack([c, -s, s, c], axis=-1).reshape(*angles.shape, 2, 2)


def _gaussian(rng, shape, is_complex):
    if not is_complex:
        return rng.standard_normal(shape)
    real, imaginary = rng.standard_normal((2, *shape)) * np.sqrt(0.5)
    return real + 1j * imaginary


def draw(pattern, init, rng, is_complex):
    """Blocks of each layer: (a * d, b, c) arrays for patterns (a, b, c, d)."""
    layers = []
    for layer, (a, b, c, d) in enumerate(pattern):
        blocks = BLOCK_INITS[init](rng, (a * d, b, c), is_complex)
        if init == "fjlt" and layer == 0:
            signs = rng.choice([-1.0, 1.0], (a, d, 1, c))
            blocks = (blocks.reshape(a, d, b, c) * signs).reshape(blocks.shape)
        layers.append(blocks)
    return layers


BLOCK_INITS = {
    "orthogonal": orthogonal_blocks,
    "gaussian": gaussian_blocks,
    "fjlt": hartley_blocks,
    "identity": identity_blocks,
}
