"""The systems that the iterations solve: A N z = b or N^H A x = N^H b.

N is the preconditioner that the triangular factor of a sketch gives.
"""

import numpy as np

from ..arguments import adjoint
from .products import AugmentedMatrix, PreconditionedAdjoint
from .triangular import TriangularPreconditioner


class TallSystem:
    """A tall A, preconditioned from the right: minimise |A N z - b|, x = N z.

    Attributes
    ----------
    matrix : AugmentedMatrix
        A, or [A; sqrt(ridge) I].
    triangle : TriangularPreconditioner
    start : array, shape (n, p)
        The solution of the sketched problem.
    """

    def __init__(self, problem, factors):
        m, count = problem.b.shape
        self.matrix = AugmentedMatrix(problem.A, problem.sqrt_ridge)
        self.triangle = TriangularPreconditioner(factors.R, problem.rcond)
        self.start = self.triangle.solve(factors.right)
        right = np.vstack([problem.b, np.zeros((self.matrix.rows - m, count))])
        self._right = right.astype(problem.dtype, copy=False)

    def precondition(self, z):
        """N z."""
        return self.triangle.apply(z)

    def precondition_adjoint(self, x):
        """N^H x."""
        return self.triangle.apply_adjoint(x)

    def residual(self, x):
        """B - A x, with b above zeros if there is a ridge."""
        U = self._right.copy()
        self.matrix.subtract(x, U)
        return -U

    def scales(self, x, residual, z_norm):
        """Norms with which changes of z = R x are compared: of R x, at most, and r."""
        return self.triangle.norm * np.linalg.norm(x, axis=0), residual


class WideSystem:
    """A wide A, preconditioned from the left: the minimum-norm x of N^H A x = N^H b.

    With a ridge A is [A, sqrt(ridge) I] and the unknowns are (x, y); for the
    minimum-norm solution of A x + sqrt(ridge) y = b its x minimises
    |A x - b|^2 + ridge |x|^2.

    Attributes
    ----------
    matrix : PreconditionedAdjoint
        N^H A.
    triangle : TriangularPreconditioner
    start : array, shape (n, p) or (n + m, p)
        Zero, as an iteration from there finds the minimum-norm solution.
    """

    def __init__(self, problem, factors):
        tall = AugmentedMatrix(adjoint(problem.A), problem.sqrt_ridge)
        self.triangle = TriangularPreconditioner(factors.R, problem.rcond)
        self.matrix = PreconditionedAdjoint(tall, self.triangle)
        self.start = np.zeros((tall.rows, problem.b.shape[1]), problem.dtype)
        self._b = problem.b

    def precondition(self, z):
        """A copy of z: there is nothing to do from the right."""
        return np.copy(z)

    def precondition_adjoint(self, x):
        """A copy of x."""
        return np.copy(x)

    def residual(self, x):
        """N^H (b - A x)."""
        return self.matrix.residual(x, self._b)

    def scales(self, x, residual, z_norm):
        """Norms with which changes of x are compared: of x or of its correction z.

        The residual of a consistent system is zero, which sets no scale.
        """
        return np.maximum(np.linalg.norm(x, axis=0), z_norm), 0.0
