"""Butterfly networks on the CPU: fast, trainable, NumPy in and NumPy out."""

from ._operator import Chain
from ._warmup import warmup
from .butterfly import Butterfly
from .transforms import fjlt, hadamard, identity, truncated, weights_bound

__all__ = [
    "Butterfly",
    "Chain",
    "fjlt",
    "hadamard",
    "identity",
    "truncated",
    "warmup",
    "weights_bound",
]
__version__ = "0.1.0"
