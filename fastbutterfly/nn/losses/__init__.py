"""Losses of batches with their gradients, for regression and classification."""

from .base import Loss
from .classification import BinaryCrossEntropy, CrossEntropy
from .regression import MSE, Huber

__all__ = ["MSE", "BinaryCrossEntropy", "CrossEntropy", "Huber", "Loss"]
