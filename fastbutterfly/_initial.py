"""Weights to start from: (n, depth, rng, is_complex) -> (depth, n/2, 2, 2)."""

import numpy as np


def orthogonal(n, depth, rng, is_complex=False):
    """Each block a rotation or a reflection by a uniform angle, or unitary."""
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


def gaussian(n, depth, rng, is_complex=False):
    """Entries N(0, 1/2), which keep the expected squared length, or circular."""
    shape = depth, n // 2, 2, 2
    if not is_complex:
        return rng.normal(0, np.sqrt(0.5), shape)
    real, imaginary = rng.normal(0, 0.5, (2, *shape))
    return real + 1j * imaginary


def identity(n, depth, rng=None, is_complex=False):
    """Each block the identity."""
    return np.broadcast_to(np.eye(2), (depth, n // 2, 2, 2)).copy()


def hadamard(n, depth, rng=None, is_complex=False):
    """The orthonormal Hadamard matrix, natural order."""
    block = np.array([[1.0, 1.0], [1.0, -1.0]]) * np.sqrt(0.5)
    return np.broadcast_to(block, (depth, n // 2, 2, 2)).copy()


def fjlt(n, depth, rng, is_complex=False):
    """H D: random signs D on the columns of the first layer, then Hadamard."""
    weights = hadamard(n, depth)
    signs = rng.choice([-1.0, 1.0], n)
    if depth:
        weights[0] *= signs.reshape(-1, 1, 2)
    return weights


INITS = {
    "orthogonal": orthogonal,
    "gaussian": gaussian,
    "fjlt": fjlt,
    "identity": identity,
}
