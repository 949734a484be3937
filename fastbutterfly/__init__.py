"""Butterfly networks on the CPU: fast, trainable, NumPy in and NumPy out."""

from .approximation.factorize import Factorization, factorize
from .approximation.reduced_rank import ReducedRank, reduced_rank
from .operators.butterfly import Butterfly
from .operators.operator import Chain
from .operators.sums import Sum
from .operators.warmup import warmup
from .transforms.cosine import dct, dst
from .transforms.fourier import circulant, dft, toeplitz
from .transforms.fwht import fwht
from .transforms.random import fjlt, hadamard, identity, truncated, weights_bound
from .transforms.rotation import Rotation, random_rotation

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
