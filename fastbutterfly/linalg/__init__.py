"""Linear algebra by sketching and random butterflies, with SciPy's conventions."""

from .estimates import cond, norm
from .least_squares.lstsq import LeastSquares, lstsq
from .low_rank.eigen import Eigen, eigh, nystrom
from .low_rank.pivoted_qr import PivotedQR, qr
from .low_rank.svd import SVD, rsvd
from .preconditioning.preconditioner import Preconditioner, preconditioner
from .preconditioning.right import right_preconditioned
from .systems.random_butterfly_lu import LU, Solution, lu_rbt, solve

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
