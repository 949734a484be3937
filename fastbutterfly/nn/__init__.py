"""Networks of dense and butterfly layers: train, predict, save, load.

Layers map batches, (batch, n_in) to (batch, n_out), and compute in their own dtype.
Their gradients are written by hand; training needs no framework.
"""

from .activations import GELU, ReLU, Sigmoid, Tanh
from .butterfly_dense import ButterflyDense
from .butterfly_linear import ButterflyLinear
from .dense import Dense
from .dropout import Dropout
from .gradients import check_gradients
from .history import DivergenceError, History
from .layer import Layer
from .layer_norm import LayerNorm
from .losses import MSE, CrossEntropy, Loss
from .optimizers import SGD
from .orthogonal_linear import OrthogonalLinear
from .pointwise import PointWise
from .residual import Residual
from .schedules import cosine, step_decay
from .sequential import Sequential
from .storage import load
from .training import fit

__all__ = [
    "GELU",
    "MSE",
    "SGD",
    "ButterflyDense",
    "ButterflyLinear",
    "CrossEntropy",
    "Dense",
    "DivergenceError",
    "Dropout",
    "History",
    "Layer",
    "LayerNorm",
    "Loss",
    "OrthogonalLinear",
    "PointWise",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "check_gradients",
    "cosine",
    "fit",
    "load",
    "step_decay",
]
