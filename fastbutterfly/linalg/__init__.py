"""Linear algebra by sketching, with SciPy's conventions."""

from .least_squares import LeastSquares, lstsq
from .svd import SVD, rsvd

__all__ = ["SVD", "LeastSquares", "lstsq", "rsvd"]
