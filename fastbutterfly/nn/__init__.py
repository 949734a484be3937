"""Networks of dense and butterfly layers: train, predict, save, load.

Layers map batches, (batch, n_in) to (batch, n_out), and compute in their own dtype.
Their gradients are written by hand; training needs no framework.
"""

from .activations import ReLU
from .butterfly_dense import ButterflyDense
from .butterfly_linear import ButterflyLinear
from .callbacks import AveragedWeights, EarlyStopping
from .classification import BinaryCrossEntropy, CrossEntropy
from .dense import Dense
from .history import DivergenceError, History
from .layer import Layer
from .losses import MSE, Huber, Loss
from .optimizers import SGD, Adam, Optimizer
from .orthogonal_linear import OrthogonalLinear
from .quasi_newton import lbfgs
from .schedules import constant, cosine, step_decay, warmup
from .sequential import Sequential
from .storage import load
from .training import fit

__all__ = [
    "MSE",
    "SGD",
    "Adam",
    "AveragedWeights",
    "BinaryCrossEntropy",
    "ButterflyDense",
    "ButterflyLinear",
    "CrossEntropy",
    "Dense",
    "DivergenceError",
    "EarlyStopping",
    "History",
    "Huber",
    "Layer",
    "Loss",
    "Optimizer",
    "OrthogonalLinear",
    "ReLU",
    "Sequential",
    "constant",
    "cosine",
    "fit",
    "lbfgs",
    "load",
    "step_decay",
    "warmup",
]
