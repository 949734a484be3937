"""Least squares by sketching: a sketch preconditions an iteration on A itself.

`lstsq` is the entry point; `sketched_triangle` gives the triangular factor of a sketch
to the estimates.
"""

from .lstsq import lstsq
from .result import LeastSquares
from .sketched_qr import sketched_triangle

__all__ = ["LeastSquares", "lstsq", "sketched_triangle"]
