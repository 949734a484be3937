"""Networks of dense and butterfly layers: train, predict, save, load.

Layers map batches, (batch, n_in) to (batch, n_out), and compute in their own dtype.
Their gradients are written by hand; training needs no framework.
"""

from .._base.public import publish
from .check_gradients import check_gradients
from .layers import (
    GELU,
    ButterflyDense,
    ButterflyLinear,
    Dense,
    Dropout,
    EncoderDecoder,
    Layer,
    LayerNorm,
    OrthogonalLinear,
    PointWise,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Tanh,
)
from .load import about, load
from .losses import MSE, BinaryCrossEntropy, CrossEntropy, Huber, Loss
from .optimizers import (
    SGD,
    Adam,
    AdamState,
    ByLayer,
    Optimizer,
    SGDState,
    constant,
    cosine,
    step_decay,
    warmup,
)
from .replacement import Replacement, from_mlp, replace_dense
from .training import (
    AveragedWeights,
    DivergenceError,
    EarlyStopping,
    Epoch,
    History,
    TwoPhases,
    fit,
    lbfgs,
    two_phase,
    variable_projection,
)

__all__ = [
    "GELU",
    "MSE",
    "SGD",
    "Adam",
    "AdamState",
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
    "Epoch",
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
    "SGDState",
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

publish(globals(), __name__)
