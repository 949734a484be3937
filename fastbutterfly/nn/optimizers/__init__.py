"""Optimisers with explicit state, and learning rates as functions of the step."""

from .adam import Adam, AdamState
from .base import Optimizer
from .by_layer import ByLayer
from .schedules import constant, cosine, step_decay, warmup
from .sgd import SGD, SGDState

__all__ = [
    "SGD",
    "Adam",
    "AdamState",
    "ByLayer",
    "Optimizer",
    "SGDState",
    "constant",
    "cosine",
    "step_decay",
    "warmup",
]
