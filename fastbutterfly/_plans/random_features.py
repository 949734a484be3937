"""Random waves: cosines and sines of randomly rotated and stretched samples."""

import math

import numpy as np

from .._base.memory import aligned, frozen
from .._base.threads import run
from .._kernels.rotation import rotate_rows
from .._kernels.sincos import sincos

LEAST = 128  # size of the smallest rotation: four registers of any dtype and CPU
USUAL = 512  # size from which rotations are at full speed
TILE = 1 << 18  # bytes of samples that are worked on together


def rotation_size(n_in, count):
    """Size of rotations for so many waves of n_in numbers: a power of two from n_in.

    Larger than need be, but not for a part of its coordinates, if that is faster.
    """
    whole = 1 << (count.bit_length() - 1)
    return max(LEAST, 1 << (n_in - 1).bit_length(), min(USUAL, whole))


def random_waves(x, signs, frequencies, scale, workers):
    """Return scale * cos(z), then scale * sin(z), z = frequencies * R x, for each row.

    x : array, shape (batch, n_in)
        float32 or float64; filled up with zeros to n.
    signs : array, shape (rotations, rounds, n)
        Of the rotations R = H D_rounds ... H D_1, D diagonal, H orthonormal Hadamard.
    frequencies : array, shape (waves,)
        For the coordinates of the first rotation, then those of the second, ...

    The result has shape (batch, 2 * waves).
    """
    (batch, n_in), (rotations, _, n), count = x.shape, signs.shape, len(frequencies)
    dtype = x.dtype
    signs = frozen((signs.reshape(rotations, -1) * math.sqrt(1 / n)).astype(dtype))
    turns = frozen((frequencies / (2 * math.pi)).astype(dtype))
    half, constants = (
        frozen(np.full(1, math.sqrt(0.5), dtype)),
        _constants(dtype, scale),
    )
    y = aligned((batch, 2 * count), dtype)
    rows = max(1, TILE // (n * dtype.itemsize))

    def work(start):
        part, target = x[start : start + rows], y[start : start + rows].reshape(-1)
        padded, z = np.zeros((len(part), n), dtype), aligned(len(part) * n, dtype)
        padded[:, :n_in] = part
        padded = frozen(padded.reshape(-1))
        for k in range(rotations):
            at = k * n
            rotate_rows(padded, signs[k], half, z, n, n)
            sizes = (len(part), 2 * count), (at, count + at)
            sincos(frozen(z), turns[at : at + n], *constants, target, *sizes)

    run(work, range(0, batch, rows), workers)
    return y


def _constants(dtype, scale):
    """What the kernel takes: the series of cos(2 pi u) and sin(2 pi u), and numbers."""
    cast = dtype.type
    series = [
        (-1) ** (k // 2) * (2 * math.pi) ** k / math.factorial(k) * scale
        for k in range(17)
    ]
    numbers = 0.5, 0.25, 1, 2, 4
    parts = (series[::2], series[1::2], numbers)
    cosine, sine, numbers = (tuple(map(cast, part)) for part in parts)
    return (cosine, sine), numbers
