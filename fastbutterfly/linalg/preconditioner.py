"""preconditioner: butterflies that approximate an inverse, for iterative solvers."""

from collections.abc import Callable

import numpy as np
import scipy.linalg
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from .._arrays import as_choice, as_generator, as_numbers, as_size
from .._ends import scaled
from ..butterfly import Butterfly
from ..factorize import factorize
from ..nn._checks import as_flag
from ._arguments import as_operator, dense
from ._fit import Terms, fitted

PROBES = 16  # random samples by which the result is judged
NOISE = 0.05  # deviation of the weights that learning starts with, beside the diagonal
FURTHER = 0.3  # factor of the weights of further terms
METHODS = {"auto": None, "inverse": "inverse", "learn": "learn"}


class Preconditioner(LinearOperator):
    """M, an approximation of the inverse of A: a sum P of butterflies, or P^H P.

    Attributes
    ----------
    operators : list of Butterfly
        The terms of P.
    residual : float
        |M A Z - Z| / |Z| for random Z: 0 for the inverse, 1 for M = 0.
    """

    def __init__(self, terms: Terms, residual: float):
        n = terms.operators[0].shape[0]
        super().__init__(terms.dtype, (n, n))
        self._terms, self.residual = terms, residual
        self.operators = terms.operators

    def _matmat(self, X):
        return self._terms(np.ascontiguousarray(X.T)).T

    def _matvec(self, x):
        return self._matmat(x.reshape(-1, 1)).reshape(-1)

    def _adjoint(self):
        if self._terms.squared:
            return self
        terms = Terms([B.H for B in self.operators], False)
        return Preconditioner(terms, self.residual)

    def __repr__(self):
        kind = "P^H P" if self._terms.squared else "P"
        return (
            f"Preconditioner(shape={self.shape}, {kind} of {len(self.operators)} "
            f"butterflies, residual={self.residual:.2g})"
        )


def preconditioner(
    A: ArrayLike,
    *,
    method: str = "auto",
    terms: int = 4,
    spd: bool = False,
    samples: int | None = None,
    max_iter: int = 100,
    check_finite: bool = True,
    rng: Generator | int | None = None,
) -> Preconditioner:
    """Approximate the inverse of A by a sum of butterflies.

    Parameters
    ----------
    A : array, sparse matrix or array of SciPy, or LinearOperator, shape (n, n)
        Real or complex; n without a prime factor above 128.
    method : {"auto", "inverse", "learn"}
        "inverse": the inverse of the dense matrix is factorized, which takes O(n^3)
        and pays for many right-hand sides; then its weights are fitted. "learn": they
        are fitted from the start, to products with A alone. "auto": "inverse" for
        arrays.
    terms : int
        Butterflies in the sum.
    spd : bool
        True, for a symmetric or Hermitian positive definite A: M = P^H P, which is so
        too, as `cg` and `minres` need; P approximates the inverse root.
    samples : int, optional
        Random x for which M A x is fitted to x. None: 4 log2(n) for each term, at most
        4 n.
    max_iter : int
        Iterations of L-BFGS; 0: none.
    check_finite : bool
        Whether to look for NaN and infinities.
    rng : Generator, int or None
        Draws the samples, and what learning starts with.

    Returns
    -------
    Preconditioner
        For ``M=`` of SciPy's iterative solvers; its `residual` tells how good it is.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    numpy.linalg.LinAlgError
        If A is zero, and for "inverse" if it is singular or, with spd, not positive
        definite.

    Notes
    -----
    Helps where the inverse has blocks of low rank away from the diagonal in the order
    of the unknowns, as for integral equations and Toeplitz matrices. Of elliptic
    differential operators in two dimensions it does not capture much.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.linalg import toeplitz
    >>> from fastbutterfly import linalg
    >>> A = toeplitz(1 / (1 + np.arange(64.0)))
    >>> M = linalg.preconditioner(A, rng=0)
    >>> M.residual < 0.1
    True
    """
    A = as_operator("A", A, as_flag("check_finite", check_finite))
    if A.shape[0] != A.shape[1] or not A.shape[0]:
        raise ValueError(f"A must be square and not empty, got shape {A.shape}")
    method = as_choice("method", method, METHODS)
    method = method or ("inverse" if isinstance(A, np.ndarray) else "learn")
    method = "inverse" if A.shape[0] == 1 else method  # a butterfly without layers
    terms, spd, rng = as_size("terms", terms), as_flag("spd", spd), as_generator(rng)
    n, max_iter = A.shape[0], as_size("max_iter", max_iter, least=0)
    if samples is None:
        samples = min(4 * n, 4 * terms * max(n.bit_length() - 1, 1))
    samples = as_size("samples", samples)
    dtype = np.result_type(A.dtype or np.float64, np.float64)
    Z = rng.standard_normal((n, samples)).astype(dtype)
    X = A @ Z
    if method == "inverse":
        operators = _factorized(dense(A, dtype), terms, spd)
    else:
        operators = _around_diagonal(X, Z, terms, spd, rng)
    found = Terms(operators, spd)
    if max_iter:
        rows = np.ascontiguousarray(X.T), np.ascontiguousarray(Z.T)
        found = fitted(found, *rows, max_iter)
    probes = rng.standard_normal((n, PROBES)).astype(dtype)
    missed = found(np.ascontiguousarray((A @ probes).T)) - probes.T
    return Preconditioner(found, float(np.linalg.norm(missed) / np.linalg.norm(probes)))


def right_preconditioned(
    A: ArrayLike, M: ArrayLike
) -> tuple[LinearOperator, Callable[[NDArray], NDArray]]:
    """Precondition from the right, for solvers that take no M, as `lsqr` and `lsmr`.

    Parameters
    ----------
    A : array, sparse matrix or LinearOperator, shape (m, n)
    M : array, sparse matrix or LinearOperator, shape (n, n)
        For instance of `preconditioner`.

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
    A, M = (
        aslinearoperator(
            matrix if hasattr(matrix, "shape") else as_numbers(name, matrix)
        )
        for name, matrix in (("A", A), ("M", M))
    )
    if M.shape != (A.shape[1], A.shape[1]):
        raise ValueError(
            f"M must have shape ({A.shape[1]}, {A.shape[1]}) for A of shape {A.shape}, "
            f"got {M.shape}"
        )
    return A @ M, M.matvec


def _factorized(A, terms, spd):
    """Butterflies whose sum is near the inverse, or near its root."""
    if spd:
        w, V = scipy.linalg.eigh(A, check_finite=False)
        if w[0] <= 0:
            raise np.linalg.LinAlgError(
                "A must be positive definite for spd=True, but has the eigenvalue "
                f"{w[0]:.2g}"
            )
        inverse = V / np.sqrt(w) @ V.conj().T
    else:
        inverse = scipy.linalg.inv(A, check_finite=False)
    found = factorize(inverse, terms=terms).operator
    return [found] if isinstance(found, Butterfly) else list(found.operators)


def _around_diagonal(X, Z, terms, spd, rng):
    """The inverse of A's diagonal, estimated, and further terms; with noise."""
    diagonal = np.einsum("ij,ij->i", X, Z.conj()) / np.einsum("ij,ij->i", Z, Z.conj())
    size = np.linalg.norm(X) / np.linalg.norm(Z)
    if not size:
        raise np.linalg.LinAlgError("A is zero, which has no inverse")
    far = np.abs(diagonal) > 0.1 * size
    scale = np.where(far, diagonal, size)
    scale = np.abs(scale) ** -0.5 if spd else 1 / scale
    plain, operators = Butterfly.random(len(Z), init="identity", dtype=X.dtype), []
    for term in range(terms):
        noise = NOISE * rng.standard_normal(plain.weights.shape)
        weights = (plain.weights + noise) * (1.0 if term == 0 else FURTHER)
        operators.append(scaled(Butterfly._of(weights, plain.plan), outputs=scale))
    return operators
