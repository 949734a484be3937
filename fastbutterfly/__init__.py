"""Butterfly networks on the CPU: fast, trainable, NumPy in and NumPy out."""

from ._base.public import publish
from .approximation import Factorization, ReducedRank, factorize, reduced_rank
from .operators import Butterfly, Chain, Sum, warmup
from .transforms import (
    Rotation,
    circulant,
    dct,
    dft,
    dst,
    fjlt,
    fwht,
    hadamard,
    identity,
    random_rotation,
    toeplitz,
    truncated,
    weights_bound,
)

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

publish(globals(), __name__)
