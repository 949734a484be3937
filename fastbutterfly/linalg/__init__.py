"""Linear algebra by sketching and random butterflies, with SciPy's conventions."""

from .least_squares import LeastSquares, lstsq
from .rbt import LU, Solution, lu_rbt, solve
from .svd import SVD, rsvd

__all__ = ["LU", "SVD", "LeastSquares", "Solution", "lstsq", "lu_rbt", "rsvd", "solve"]
