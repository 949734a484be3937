"""Butterfly networks on the CPU: fast, trainable, NumPy in and NumPy out."""

from ._operator import Chain
from ._warmup import warmup
from .butterfly import Butterfly
from .cosine import dct, dst
from .factorize import Factorization, factorize
from .fourier import circulant, dft, toeplitz
from .fwht import fwht
from .reduced_rank import ReducedRank, reduced_rank
from .rotation import Rotation, random_rotation
from .sums import Sum
from .transforms import fjlt, hadamard, identity, truncated, weights_bound

__all__ = [
    "Butterfly",
    "Chain",
    "Factorization",
    "ReducedRank",
    "Rotation",
    "Sum",
    "circulant",
    "dct",
    "dft",
    "dst",
    "factorize",
    "fjlt",
    "fwht",
    "hadamard",
    "identity",
    "random_rotation",
    "reduced_rank",
    "toeplitz",
    "truncated",
    "warmup",
    "weights_bound",
]
__version__ = "0.1.0"
