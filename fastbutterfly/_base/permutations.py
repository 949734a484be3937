"""Permutations of fast transforms, as arrays of indices."""

import numpy as np


def inverse(permutation):
    """The inverse permutation."""
    found = np.empty_like(permutation)
    found[permutation] = np.arange(len(permutation))
    return found


def digit_reversal(radices):
    """Where the numbers 0 ... n - 1 go when their digits are reversed.

    Radices are those of a Fourier transform's layers, small strides first.
    """
    source = np.zeros(1, np.intp)
    for r in radices:
        source = np.concatenate([p + r * source for p in range(r)])
    return inverse(source)


def bit_reversal(n):
    """`digit_reversal` for a power of two."""
    return digit_reversal((2,) * (n.bit_length() - 1))


def sequency(n):
    """Natural numbers of Hadamard rows by sign changes: Gray code, bits reversed."""
    k = np.arange(n)
    return bit_reversal(n)[k ^ k >> 1]


HADAMARD = {"natural": lambda n: None, "sequency": sequency, "dyadic": bit_reversal}
