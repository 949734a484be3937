"""The matrix that the butterflies of a preconditioner approximate."""

import numpy as np
import scipy.linalg
from numpy.linalg import LinAlgError

# An estimate with the eigenvalue -w has errors of at least w: smaller eigenvalues than
# this share of w are noise, and their inverses would dominate.
MIN_EIGENVALUE = 0.25


def target(A, *, invert, spd, exact):
    """A or its inverse; with spd a factor of one of them.

    Parameters
    ----------
    A : array, shape (n, n)
    invert : bool
        True: A^-1, with spd P such that A^-1 = P^H P. False: A, with spd R such that
        A = R^H R.
    spd : bool
        Whether A is to be positive definite.
    exact : bool
        False: A is an estimate, whose errors may have made it indefinite; then the
        nearest matrix with positive eigenvalues takes its place.

    Raises
    ------
    numpy.linalg.LinAlgError
        If A is singular, or exact and, with spd, not positive definite.
    """
    if not spd:
        return scipy.linalg.inv(A, check_finite=False) if invert else A
    try:
        R = scipy.linalg.cholesky(A, check_finite=False)
    except LinAlgError:
        return _spectral_factor(A, invert, exact)
    if not invert:
        return R
    trtri = scipy.linalg.get_lapack_funcs("trtri", (R,))
    return trtri(R)[0].conj().T


def _spectral_factor(A, invert, exact):
    """As `target` with spd, from eigenvalues that are made positive."""
    w, V = scipy.linalg.eigh(A, check_finite=False)
    if exact or not w[-1] > 0:
        raise LinAlgError(
            "A must be positive definite for spd=True, but has the eigenvalue "
            f"{w[0]:.2g}"
        )
    error = max(-w[0], np.finfo(float).eps * w[-1])
    w = np.maximum(np.abs(w), MIN_EIGENVALUE * error)
    return V * w ** (-0.5 if invert else 0.5) @ V.conj().T
