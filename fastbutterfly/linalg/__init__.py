"""Linear algebra by sketching and random butterflies, with SciPy's conventions."""

from .eigen import Eigen, eigh, nystrom
from .estimates import cond, norm
from .least_squares import LeastSquares, lstsq
from .pivoted import PivotedQR, qr
from .preconditioner import Preconditioner, preconditioner
from .rbt import LU, Solution, lu_rbt, solve
from .right_preconditioned import right_preconditioned
from .svd import SVD, rsvd

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
