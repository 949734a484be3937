"""Real Fourier and cosine transforms as chains of orthogonal layers, for powers of two.

1. Two neighbouring real coordinates are one complex number: n of them are n/2.
2. Their complex transform Z consists of layers of rotations, which multiply by roots of
   unity, and layers of sums and differences.
3. Blocks of 4x4 make the transform V of the n real numbers, or a cosine transform, from
   Z[k] and Z[n/2 - k]: 2 V[k] = Z[k] + Z[m]^* - i exp(-2 pi i k / n) (Z[k] - Z[m]^*),
   m = n/2 - k (Press et al., Numerical Recipes, 3rd edition, section 12.3.2).

All layers are orthonormal.
"""

import numpy as np

from .._base.permutations import bit_reversal, inverse
from ..operators import Butterfly, Chain


def real_dft(n, dtype):
    """V[0], V[n/2], then sqrt(2) times real and imaginary parts of V[1], V[2], ..."""
    if n < 4:
        return _dense([[1, 1], [1, -1]] if n == 2 else [[1]], dtype)
    first, middle, pairs = _spectrum(n)
    blocks = np.empty((n // 4, 4, 4))
    blocks[:, ::2], blocks[:, 1::2] = pairs.real, pairs.imag
    blocks *= np.sqrt(2)
    blocks[0, :2] = first, middle
    half, quarter = n // 2, n // 4
    k = np.arange(quarter + 1, half)
    outputs = np.empty((half, 2), np.intp)
    outputs[:quarter] = 4 * np.arange(quarter)[:, np.newaxis] + [0, 1]
    outputs[quarter] = 2, 3
    outputs[k] = 4 * (half - k)[:, np.newaxis] + [2, 3]
    return _transform(n, blocks, dtype, np.arange(n), outputs.ravel())


def cosine_two(n, dtype):
    """DCT-II (Makhoul, 1980): a real transform of x[0], x[2], ..., x[3], x[1]."""
    if n < 4:
        return _dense(_cosines(n, 0), dtype)
    first, middle, pairs = _spectrum(n)
    half, quarter = n // 2, n // 4
    k = np.stack([np.arange(quarter), half - np.arange(quarter)], axis=1)
    k[0] = 0, quarter
    turn = np.exp(-0.5j * np.pi * k / n)[:, :, np.newaxis]
    blocks = np.empty((quarter, 4, 4))
    blocks[:, ::2] = np.sqrt(2) * (turn * pairs).real
    blocks[:, 1::2] = -np.sqrt(2) * (turn * pairs).imag
    blocks[0, :2] = first, middle
    y = np.stack([k[:, 0], n - k[:, 0], k[:, 1], n - k[:, 1]], axis=1)
    y[0] = 0, half, quarter, n - quarter
    order = np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)[::-1]])
    return _transform(n, blocks, dtype, inverse(order), inverse(y.ravel()))


def cosine_four(n, dtype):
    """DCT-IV: rotations, a transform of n/2 complex numbers, rotations."""
    if n < 4:
        return _dense(_cosines(n, 0.5), dtype)
    half = n // 2
    k = np.arange(half)
    source = inverse(bit_reversal(half))
    pattern, blocks = _complex_layers(half)
    before = _rotations(np.exp(-1j * np.pi * source / n))
    after = _rotations(np.exp(-1j * np.pi * (4 * k + 1) / (4 * n)))
    pattern = [(half, 2, 2, 1), *pattern, (half, 2, 2, 1)]
    inputs = np.stack([2 * source, n - 1 - 2 * source], axis=1).ravel()
    outputs = np.stack([2 * k, n - 1 - 2 * k], axis=1).ravel()
    after = after * np.array([[1.0], [-1.0]])
    blocks = [layer.astype(dtype) for layer in (before, *blocks, after)]
    ends = {"inputs": inverse(inputs), "outputs": inverse(outputs)}
    return Chain([Butterfly.from_blocks(blocks, pattern, **ends)])


def _transform(n, last, dtype, inputs, outputs):
    """The complex transform of reordered inputs, then the 4x4 blocks `last`.

    Input j is coordinate inputs[j] of the n/2 complex numbers, and output j is
    coordinate outputs[j] of the blocks, which take Z[k] and Z[n/2 - k] each.
    """
    half, quarter = n // 2, n // 4
    pattern, blocks = _complex_layers(half)
    position = 2 * bit_reversal(half)  # of the real part of each complex input
    inputs = position[inputs // 2] + inputs % 2
    k = np.stack([np.arange(quarter), half - np.arange(quarter)], axis=1)
    k[0] = 0, quarter
    groups = (2 * k[:, :, np.newaxis] + [0, 1]).ravel()
    blocks = [layer.astype(dtype) for layer in blocks]
    first = Butterfly.from_blocks(blocks, pattern, inputs=inputs, outputs=groups)
    last = [last.astype(dtype)]
    last = Butterfly.from_blocks(last, [(quarter, 4, 4, 1)], outputs=outputs)
    return Chain([last, first])


def _complex_layers(n):
    """Patterns and blocks of the transform of n complex numbers in bit-reversed order.

    Decimation in time: for each stride s the twiddle factors, except for s = 1 where
    they are 1, and then sums and differences of numbers s apart.
    """
    pattern, blocks, s = [], [], 1
    while s < n:
        i = np.arange(n)
        if s > 1:
            pattern.append((n, 2, 2, 1))
            turns = np.where(i & s, i % s / (2 * s), 0)
            blocks.append(_rotations(np.exp(-2j * np.pi * turns)))
        pattern.append((n // (2 * s), 2, 2, 2 * s))
        mixing = np.sqrt(0.5) * np.array([[1.0, 1.0], [1.0, -1.0]])
        blocks.append(np.tile(mixing, (n, 1, 1)))
        s *= 2
    return (pattern or [(2 * n, 1, 1, 1)]), (blocks or [np.ones((2 * n, 1, 1))])


def _rotations(c):
    """2x2 blocks that multiply a complex number, as two real ones, by c."""
    return np.stack([c.real, -c.imag, c.imag, c.real], axis=-1).reshape(-1, 2, 2)


def _spectrum(n):
    """V[0], V[n/2], and V[k], V[n/2 - k] of each group as functions of its inputs.

    The four real inputs of group k are Z[k] and Z[n/2 - k]; of group 0 Z[0] and Z[n/4].
    """
    half, quarter = n // 2, n // 4
    k = np.arange(quarter)
    first_input, second_input = np.array([1, 1j, 0, 0]), np.array([0, 0, 1, 1j])
    pairs = np.empty((quarter, 2, 4), complex)
    cases = (k, first_input, second_input), (half - k, second_input, first_input)
    for column, (j, a, b) in enumerate(cases):
        turn = np.exp(-2j * np.pi * j / n)[:, np.newaxis]
        pairs[:, column] = (a + b.conj() - 1j * turn * (a - b.conj())) / 2
    pairs[0, 1] = second_input.conj()
    pairs /= np.sqrt(2)
    first, middle = np.array([1, 1, 0, 0]), np.array([1, -1, 0, 0])
    return first * np.sqrt(0.5), middle * np.sqrt(0.5), pairs


def _cosines(n, shift):
    """Matrix of cos(pi (k + shift) (j + 1/2) / n) in row k and column j."""
    k, j = np.arange(n)[:, np.newaxis] + shift, np.arange(n) + 0.5
    return np.cos(np.pi * k * j / n)


def _dense(matrix, dtype):
    """A chain of one dense layer, its rows normalised."""
    matrix = np.array(matrix, float)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    n = len(matrix)
    blocks = [matrix[np.newaxis].astype(dtype)]
    return Chain([Butterfly.from_blocks(blocks, [(1, n, n, 1)])])
