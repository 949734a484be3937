"""LeastSquares: the solution of a least-squares problem, and how it was obtained."""

from dataclasses import dataclass

from numpy.typing import NDArray


@dataclass(frozen=True)
class LeastSquares:
    """The solution of a least-squares problem, as `lstsq` returns it.

    Attributes
    ----------
    x : array, shape (n,) or (n, p)
    residual_norm : float, or array (p,)
        |b - A x|.
    rank : int
        Of A, or with a ridge of [A; sqrt(ridge) I], for wide A of [A, sqrt(ridge) I]:
        the number of singular values above `rcond` times the largest; for the method
        "sketch" those of the sketched matrix.
    condition : float
        Largest singular value by the smallest of those, or an estimate from the sketch.
    iterations : int
        Of both stages; 0 for LAPACK.
    converged : bool
        Whether the iteration reached `tol`, and the gradient A^H (A x - b) + ridge x is
        zero to that accuracy; for LAPACK whether x is finite.
    method : {"sketch", "lapack"}
    reason : str
        Why this method was used, and what failed in the iteration, if anything did.
    """

    # Pickles name the public module, not this file.
    __module__ = "fastbutterfly.linalg"

    x: NDArray
    residual_norm: float | NDArray
    rank: int
    condition: float
    iterations: int
    converged: bool
    method: str
    reason: str
