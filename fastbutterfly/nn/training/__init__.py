"""Training loops, their callbacks, and the histories that they return."""

from .callbacks import AveragedWeights, EarlyStopping
from .fit import fit
from .history import DivergenceError, Epoch, History
from .lbfgs import lbfgs
from .two_phase import TwoPhases, two_phase
from .variable_projection import variable_projection

__all__ = [
    "AveragedWeights",
    "DivergenceError",
    "EarlyStopping",
    "Epoch",
    "History",
    "TwoPhases",
    "fit",
    "lbfgs",
    "two_phase",
    "variable_projection",
]
