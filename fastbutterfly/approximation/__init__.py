"""Approximation of matrices by butterflies, and by matrices of low rank."""

from .factorize import Factorization, factorize
from .projection import ProjectedLowRank, Subspace
from .reduced_rank import ReducedRank, reduced_rank
from .splitting import square_pattern

__all__ = [
    "Factorization",
    "ProjectedLowRank",
    "ReducedRank",
    "Subspace",
    "factorize",
    "reduced_rank",
    "square_pattern",
]
