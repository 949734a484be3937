"""Transforms as butterflies: Fourier, cosine, Hadamard, rotations, random ones."""

from .cosine import dct, dst
from .fourier import dft
from .fwht import fwht
from .hadamard import hadamard, identity
from .random import fjlt, next_power_of_two, truncated, weights_bound
from .rotation import Rotation, random_rotation
from .toeplitz import circulant, toeplitz

__all__ = [
    "Rotation",
    "circulant",
    "dct",
    "dft",
    "dst",
    "fjlt",
    "fwht",
    "hadamard",
    "identity",
    "next_power_of_two",
    "random_rotation",
    "toeplitz",
    "truncated",
    "weights_bound",
]
