"""Square systems by LU without pivoting, after random butterflies from both sides."""

from .random_butterfly_lu import LU, Solution, lu_rbt, solve

__all__ = ["LU", "Solution", "lu_rbt", "solve"]
