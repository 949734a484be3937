"""Iterative refinement of the solution of a sketched problem, in two stages."""

import numpy as np

from .column_norms import safe_norms
from .iterative_sketching import momentum
from .lsqr import lsqr
from .products import AugmentedMatrix
from .result import LeastSquares

ITERATIONS = {"lsqr": lsqr, "momentum": momentum}
# Where the first stage ends, relative to the residual. A single stage is not backward
# stable; the second one refines this result from its exactly computed residual.
FIRST_STAGE_TOL = 1e-8
SLACK = 100.0  # bound of the gradient that counts as zero, times tol or rcond


def refine(problem, system, distortion, *, iteration, max_iter, reason):
    """Solve a preconditioned system.

    Parameters
    ----------
    problem : Problem
    system : TallSystem or WideSystem
    distortion : float
        Expected of the sketch; see `momentum`.
    iteration : {"lsqr", "momentum"}
        Where momentum does not converge, LSQR takes over.
    max_iter : int
        Of each stage.
    reason : str
        Why a sketch is used, to which what fails is added.

    Returns
    -------
    LeastSquares
        With x of shape (n, p) and one residual norm a column.
    """
    x, iterations, notes = system.start, 0, [reason]

    def correction(tol):
        def is_small(change, residual, z_norm):
            x_scale, residual_scale = system.scales(x, residual, z_norm)
            return change <= problem.tol * x_scale + tol * residual_scale

        run = ITERATIONS[iteration]
        return run(system, system.residual(x), is_small, max_iter, distortion)

    for tol in (max(problem.tol, FIRST_STAGE_TOL), problem.tol):
        step = correction(tol)
        iterations += step.iterations
        if iteration == "momentum" and not step.converged:
            notes.append("momentum has not converged, so LSQR took over")
            iteration = "lsqr"
            step = correction(tol)
            iterations += step.iterations
        x = x + step.x
    if not step.converged:
        notes.append(f"{iteration} has not converged")
    x = x[: problem.shape[1]]
    residual_norms, is_minimum = _check_gradient(problem, x, system.triangle.norm)
    if step.converged and not is_minimum:
        notes.append("the gradient is not zero, so that the sketch is bad")
    return LeastSquares(
        x=x,
        residual_norm=residual_norms,
        rank=system.triangle.rank,
        condition=system.triangle.condition,
        iterations=iterations,
        converged=step.converged and is_minimum,
        method="sketch",
        reason="; ".join(notes),
    )


def _check_gradient(problem, x, norm):
    """|b - A x|, and whether the gradient is zero to rounding; A is read once.

    `norm` estimates that of A.
    """
    matrix, m = AugmentedMatrix(problem.A, problem.sqrt_ridge), problem.shape[0]
    U = np.zeros((matrix.rows, x.shape[1]), problem.dtype)
    U[:m] = problem.b
    gradient = safe_norms(matrix.update(x, U, 1.0))
    scales = norm * (norm * safe_norms(x) + safe_norms(U))
    limits = SLACK * max(problem.tol, problem.rcond) * scales
    return safe_norms(U[:m]), bool(np.all(gradient <= limits))
