"""Linear algebra by sketching and random butterflies, with SciPy's conventions."""

from .eigen import Eigen, eigh, nystrom
from .estimates import cond, norm
from .least_squares import LeastSquares, lstsq
from .pivoted import PivotedQR, qr
from .rbt import LU, Solution, lu_rbt, solve
from .svd import SVD, rsvd

__all__ = [
    "LU",
    "SVD",
    "Eigen",
    "LeastSquares",
    "PivotedQR",
    "Solution",
    "cond",
    "eigh",
    "lstsq",
    "lu_rbt",
    "norm",
    "nystrom",
    "qr",
    "rsvd",
    "solve",
]
