"""SketchedProblem: a least-squares problem with the QR factorisation of its sketch."""

import numpy as np

from ..arguments import adjoint, default_sketch
from .refinement import refine
from .sketched_qr import sketched_qr
from .systems import TallSystem, WideSystem

# Numbers between 1 / max^0.4 and max^0.4 have squares, and sums of squares, that do not
# overflow or underflow.
SAFE_EXPONENT = 0.4


class SketchedProblem:
    """A `Problem` with the triangular factor of its sketch.

    Parameters
    ----------
    problem : Problem
    sketch : Sketch or LinearOperator, shape (l, max(m, n)), or None
        None: `default_sketch`.
    rng : Generator
        Draws the default.

    Notes
    -----
    1. Sketch A, or its adjoint if A is wide, and factor S A = Q R.
    2. `obstacle`: see whether the iterations can work with R.
    3. `solve`: iterate on A itself, preconditioned by R.
    """

    def __init__(self, problem, sketch, rng):
        self.problem, (m, n) = problem, problem.shape
        self._is_tall = m >= n
        tall = (problem.A, problem.b) if m >= n else (adjoint(problem.A), None)
        S = default_sketch(*tall[0].shape, rng) if sketch is None else sketch
        self._sketch_shape = S.shape
        options = {"sqrt_ridge": problem.sqrt_ridge, "rescale": sketch is not None}
        self._factors = sketched_qr(*tall, S, problem.dtype, **options)

    def obstacle(self):
        """Why iterations would fail: elements whose squares overflow or underflow.

        Returns
        -------
        str or None
        """
        R, b = self._factors.R, self.problem.b
        if not (np.isfinite(R).all() and np.isfinite(b).all()):
            return "the sketch of A or b is not finite"
        limit = float(np.finfo(b.dtype).max) ** SAFE_EXPONENT
        largest = np.append(np.abs(b).max(axis=0, initial=0), np.abs(R).max())
        largest = (float(value) for value in largest)
        if all(value == 0 or 1 / limit < value < limit for value in largest):
            return None
        return "A or b is so small or so large that squares underflow or overflow"

    def solve(self, **options):
        """Iterate; the options are those of `refine`.

        Returns
        -------
        LeastSquares
            With x of shape (n, p) and one residual norm a column.
        """
        kind = TallSystem if self._is_tall else WideSystem
        system, (l, size) = kind(self.problem, self._factors), self._sketch_shape
        # A square sketch is taken to be an isometry, as the identity is.
        distortion = 0.0 if l == size else (system.triangle.rank / l) ** 0.5
        return refine(self.problem, system, distortion, **options)
