"""StoppingRule: when an iteration has converged, or no longer makes progress."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STALLED = 30  # iterations within which the largest change should have been halved


class Correction(NamedTuple):
    """The result of an iteration for A x = r.

    Attributes
    ----------
    x : array, shape (n, p)
    iterations : int
    converged : bool
    """

    x: NDArray
    iterations: int
    converged: bool


class StoppingRule:
    """Decide after each step whether an iteration ends.

    It has converged when the changes are small twice in a row: a single small one may
    be an accident. Where the changes no longer fall they are rounding errors, or R is a
    bad preconditioner; then the iteration ends without convergence.

    Parameters
    ----------
    is_small : callable
        (norms of the last change of z, of the residual, of z), each an array (p,) ->
        array of bool, shape (p,).
    max_iter : int

    Attributes
    ----------
    iterations : int
    converged, ended : bool
    """

    def __init__(self, is_small, max_iter):
        self.is_small, self.max_iter, self.iterations = is_small, max_iter, 0
        self.converged = self.ended = False
        self._small_in_a_row, self._smallest_change, self._smallest_at = 0, np.inf, 0

    def update(self, change, residual, z_norm):
        """Count an iteration, given the arguments of `is_small`."""
        small = np.all(self.is_small(change, residual, z_norm))
        self.iterations += 1
        self._small_in_a_row = self._small_in_a_row + 1 if small else 0
        largest = change.max(initial=0)
        if largest < self._smallest_change / 2:
            self._smallest_change, self._smallest_at = largest, self.iterations
        stalled = self.iterations - self._smallest_at > STALLED
        self.converged = self._small_in_a_row == 2
        self.ended = self.converged or stalled or self.iterations == self.max_iter
