"""Matrices of low rank by sketching: decompositions, and a basis of the range."""

from .eigen import Eigen, eigh, nystrom
from .pivoted_qr import PivotedQR, qr
from .range_finder import RangeFinder
from .svd import SVD, rsvd

__all__ = [
    "SVD",
    "Eigen",
    "PivotedQR",
    "RangeFinder",
    "eigh",
    "nystrom",
    "qr",
    "rsvd",
]
