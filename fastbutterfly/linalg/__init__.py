"""Linear algebra by sketching and random butterflies, with SciPy's conventions."""

from .estimates import cond, norm
from .least_squares import LeastSquares, lstsq
from .low_rank import SVD, Eigen, PivotedQR, eigh, nystrom, qr, rsvd
from .preconditioning import Preconditioner, preconditioner, right_preconditioned
from .systems import LU, Solution, lu_rbt, solve

__all__ = [
    "LU",
    "SVD",
    "Eigen",
    "LeastSquares",
    "PivotedQR",
    "Preconditioner",
    "Solution",
    "cond",
    "eigh",
    "lstsq",
    "lu_rbt",
    "norm",
    "nystrom",
    "preconditioner",
    "qr",
    "right_preconditioned",
    "rsvd",
    "solve",
]
