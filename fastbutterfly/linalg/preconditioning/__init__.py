"""Preconditioners made of butterflies, for the iterative solvers of SciPy."""

from .preconditioner import Preconditioner, preconditioner
from .right import right_preconditioned

__all__ = ["Preconditioner", "preconditioner", "right_preconditioned"]
