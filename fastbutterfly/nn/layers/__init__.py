"""Layers: differentiable maps of batches with flat parameter buffers, and networks."""

from .activations import GELU, ReLU, Sigmoid, Tanh
from .butterfly_dense import ButterflyDense
from .butterfly_linear import ButterflyLinear
from .dense import Dense
from .dropout import Dropout
from .encoder_decoder import EncoderDecoder
from .layer import Layer
from .layer_norm import LayerNorm
from .orthogonal_linear import OrthogonalLinear
from .pointwise import PointWise
from .residual import Residual
from .sequential import Sequential

__all__ = [
    "GELU",
    "ButterflyDense",
    "ButterflyLinear",
    "Dense",
    "Dropout",
    "EncoderDecoder",
    "Layer",
    "LayerNorm",
    "OrthogonalLinear",
    "PointWise",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
]
