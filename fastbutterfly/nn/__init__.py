"""Networks of dense and butterfly layers: train, predict, save, load.

Layers map batches, (batch, n_in) to (batch, n_out), and compute in their own dtype.
Their gradients are written by hand; training needs no framework.
"""

from .check_gradients import check_gradients
from .layers.activations import GELU, ReLU, Sigmoid, Tanh
from .layers.butterfly_dense import ButterflyDense
from .layers.butterfly_linear import ButterflyLinear
from .layers.dense import Dense
from .layers.dropout import Dropout
from .layers.encoder_decoder import EncoderDecoder
from .layers.layer import Layer
from .layers.layer_norm import LayerNorm
from .layers.orthogonal_linear import OrthogonalLinear
from .layers.pointwise import PointWise
from .layers.residual import Residual
from .layers.sequential import Sequential
from .load import about, load
from .losses.classification import BinaryCrossEntropy, CrossEntropy
from .losses.regression import MSE, Huber, Loss
from .optimizers.by_layer import ByLayer
from .optimizers.optimizers import SGD, Adam, Optimizer
from .optimizers.schedules import constant, cosine, step_decay, warmup
from .replacement import Replacement, from_mlp, replace_dense
from .training.callbacks import AveragedWeights, EarlyStopping
from .training.fit import fit
from .training.history import DivergenceError, History
from .training.lbfgs import lbfgs
from .training.two_phase import TwoPhases, two_phase
from .training.variable_projection import variable_projection

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
