"""Sketches: wide matrices S that make S @ X small, drawn at random or learned.

All are `Sketch` objects, whether dense, sparse or butterflies, and multiply dense,
sparse and memory-mapped matrices.
"""

from ._learning import Learned
from ._sketch import Sketch
from .directions import optimal
from .kinds import count_sketch, fjlt, gaussian, sparse, sparse_rtt, stack
from .learn import learn
from .low_rank import LowRank, best_errors, errors, excess, low_rank

__all__ = [
    "Learned",
    "LowRank",
    "Sketch",
    "best_errors",
    "count_sketch",
    "errors",
    "excess",
    "fjlt",
    "gaussian",
    "learn",
    "low_rank",
    "optimal",
    "sparse",
    "sparse_rtt",
    "stack",
]
