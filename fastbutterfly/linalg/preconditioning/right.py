"""right_preconditioned: A M, for solvers without an argument for a preconditioner."""

from collections.abc import Callable

from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from ..._base.arguments import as_numbers


def right_preconditioned(
    A: ArrayLike, M: ArrayLike
) -> tuple[LinearOperator, Callable[[NDArray], NDArray]]:
    """Precondition from the right, for solvers without M, as SciPy's `lsqr` and `lsmr`.

    Parameters
    ----------
    A : array, sparse matrix or LinearOperator, shape (m, n)
    M : array, sparse matrix or LinearOperator, shape (n, n)
        As `preconditioner` returns it.

    Returns
    -------
    operator : LinearOperator, shape (m, n)
        A M.
    recover : callable
        z -> M z, the solution x of A x = b for a solution z of (A M) z = b.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, or an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import lsqr
    >>> from fastbutterfly import linalg
    >>> A = np.diag([1.0, 1e3, 1e6])
    >>> operator, recover = linalg.right_preconditioned(A, np.linalg.inv(A))
    >>> recover(lsqr(operator, np.ones(3))[0])
    array([1.e+00, 1.e-03, 1.e-06])
    """
    A, M = _as_operator("A", A), _as_operator("M", M)
    if M.shape != (A.shape[1], A.shape[1]):
        raise ValueError(
            f"M must have shape ({A.shape[1]}, {A.shape[1]}) for A of shape {A.shape}, "
            f"got {M.shape}"
        )
    return A @ M, M.matvec


def _as_operator(name, A):
    A = A if hasattr(A, "shape") else as_numbers(name, A)
    if len(A.shape) != 2:
        raise ValueError(f"{name} must be a matrix, got shape {A.shape}")
    return aslinearoperator(A)
