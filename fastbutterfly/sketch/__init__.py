"""Sketches: wide matrices S that make S @ X small, drawn at random or learned.

All are `Sketch` objects, whether dense, sparse or butterflies, and multiply dense,
sparse and memory-mapped matrices.
"""

from .._base.public import publish
from .learn import learn
from .low_rank import LowRank, best_errors, errors, excess, low_rank
from .optimal import optimal
from .random import count_sketch, fjlt, gaussian, sparse, sparse_rtt, stack
from .sketch import Sketch
from .training import Learned

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

publish(globals(), __name__)
