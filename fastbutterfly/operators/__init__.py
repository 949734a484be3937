"""Operators: linear maps made of sparse layers, as frozen values."""

from .butterfly import Butterfly
from .composite import Chain, Sum
from .initial import INITS, hadamard_weights
from .operator import Operator
from .rescale import reordered, scaled
from .warmup import warmup

__all__ = [
    "INITS",
    "Butterfly",
    "Chain",
    "Operator",
    "Sum",
    "hadamard_weights",
    "reordered",
    "scaled",
    "warmup",
]
