"""Networks of dense and butterfly layers: train, predict, save, load.

Layers map batches, (batch, n_in) to (batch, n_out), and compute in their own dtype.
Their gradients are written by hand; training needs no framework.
"""

from .activations import GELU, ReLU, Sigmoid, Tanh
from .butterfly_dense import ButterflyDense
from .butterfly_linear import ButterflyLinear
from .by_layer import ByLayer
from .callbacks import AveragedWeights, EarlyStopping
from .classification import BinaryCrossEntropy, CrossEntropy
from .dense import Dense
from .dropout import Dropout
from .encoder_decoder import EncoderDecoder
from .gradients import check_gradients
from .history import DivergenceError, History
from .layer import Layer
from .layer_norm import LayerNorm
from .losses import MSE, Huber, Loss
from .optimizers import SGD, Adam, Optimizer
from .orthogonal_linear import OrthogonalLinear
from .pointwise import PointWise
from .quasi_newton import lbfgs
from .replacement import Replacement, from_mlp, replace_dense
from .residual import Residual
from .schedules import constant, cosine, step_decay, warmup
from .sequential import Sequential
from .storage import about, load
from .training import fit
from .two_phase import TwoPhases, two_phase
from .variable_projection import variable_projection

__all__ = [
    "GELU",
    "MSE",
    "SGD",
    "Adam",
    "AveragedWeights",
    "BinaryCrossEntropy",
    "ButterflyDense",
    "ButterflyLinear",
    "ByLayer",
    "CrossEntropy",
    "Dense",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "EncoderDecoder",
    "History",
    "Huber",
    "Layer",
    "LayerNorm",
    "Loss",
    "Optimizer",
    "OrthogonalLinear",
    "PointWise",
    "ReLU",
    "Replacement",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "TwoPhases",
    "about",
    "check_gradients",
    "constant",
    "cosine",
    "fit",
    "from_mlp",
    "lbfgs",
    "load",
    "replace_dense",
    "step_decay",
    "two_phase",
    "variable_projection",
    "warmup",
]
