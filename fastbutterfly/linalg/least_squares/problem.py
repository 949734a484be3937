"""Problem: a least-squares problem and the two ways in which it is solved."""

import numpy as np
import scipy.linalg

from ..arguments import dense
from .iterative_sketching import momentum
from .lsqr import lsqr, norms
from .products import Adjoint, Matrix, adjoint
from .sketched_qr import triangle_of
from .triangular import Triangle

NOT_FINITE = "the sketch of A or b is not finite"
EXTREME = "A or b is so small or so large that squares underflow or overflow"
FIRST = 1e-8  # what the first stage leaves, of the residual; the second refines that
SLACK = 100.0  # times tol or rcond: what may be left of the gradient
# Singular values so many eps times the largest are what rounding makes of zeros, or
# gelsd's divide and conquer (up to 32); those of condition 1e14 are 45 eps.
RCOND, RCOND_LAPACK = 20.0, 40.0
ITERATIONS = {"lsqr": lsqr, "momentum": momentum}


class Problem:
    """A, b (m, p), the root of the ridge, and what is as small as rounding."""

    def __init__(self, A, b, ridge, tol, rcond, iteration, max_iter, given):
        self.A, self.b, self.ridge = A, b, ridge**0.5
        limits = np.finfo(b.dtype)
        eps, self.least = float(limits.eps), float(limits.tiny / limits.eps)
        self.tol = max(tol or 0.0, eps)
        defaults = RCOND * eps, RCOND_LAPACK * eps
        self.rcond, self.rcond_lapack = defaults if rcond is None else (rcond, rcond)
        self.iteration, self.max_iter, self.given = iteration, max_iter, given
        self.notes = []  # what is to be told of the iteration

    def _obstacle(self, R):
        """Why iterations would fail: numbers whose squares overflow or underflow."""
        if not (np.isfinite(R).all() and np.isfinite(self.b).all()):
            return NOT_FINITE
        limit = float(np.finfo(self.b.dtype).max) ** 0.4
        sizes = np.append(np.abs(self.b).max(axis=0, initial=0), np.abs(R).max())
        sizes = (float(size) for size in sizes)
        fine = all(size == 0 or 1 / limit < size < limit for size in sizes)
        return None if fine else EXTREME

    def lapack(self):
        """By gelsd, of the dense matrix."""
        A, b, (m, n) = dense(self.A, self.b.dtype), self.b, self.A.shape
        if self.ridge and m < n:  # the shortest (x, y) with A x + ridge y = b
            A = np.hstack([A, self.ridge * np.eye(m, dtype=A.dtype)])
        elif self.ridge:
            A = np.vstack([A, self.ridge * np.eye(n, dtype=A.dtype)])
            b = np.vstack([b, np.zeros((n, b.shape[1]), b.dtype)])
        if not A.size:
            x = np.zeros((n, b.shape[1]), b.dtype)
            return x, norms(b), 0, 1.0, 0, True
        columns = b if b.shape[1] else np.zeros((len(b), 1), b.dtype)
        options = {"cond": self.rcond_lapack, "check_finite": False}
        x, squares, rank, s = scipy.linalg.lstsq(A, columns, **options)
        x = x[:n, : b.shape[1]]
        residuals = self._lengths(squares, x, A[:m, :n])
        condition = float(s[0] / s[rank - 1]) if rank else 1.0
        return x, residuals, int(rank), condition, 0, bool(np.isfinite(x).all())

    def _lengths(self, squares, x, A):
        """|b - A x|, by gelsd's squares if it gives them and they are fine."""
        given = len(squares) == x.shape[1] > 0 and not self.ridge
        if given and np.isfinite(squares).all() and squares.min() > self.least:
            return np.sqrt(squares)
        return norms(self.b - A @ x)

    def sketched(self, sketch, rng):
        """By a sketch, or a text that says why not."""
        m, n = self.A.shape
        if isinstance(self.A, np.ndarray) and self.A.itemsize not in self.A.strides:
            self.A = np.ascontiguousarray(self.A)  # or each product would copy it
        if m < n:
            return self._wide(sketch, rng)
        matrix = Matrix(self.A, self.ridge)
        right = np.vstack([self.b, np.zeros((matrix.rows - m, self.b.shape[1]))])
        right = right.astype(self.b.dtype, copy=False)
        S = sketch(m, n, rng)
        options = self.ridge, S, self.b.dtype, self.given
        R, rest = triangle_of(self.A, self.b, *options)
        if obstacle := self._obstacle(R):
            return obstacle
        triangle = Triangle(R, self.rcond)

        def residual(x):
            U = right.copy()
            matrix.subtract(x, U)
            return -U

        def sizes(x, residual, _):  # to compare with changes of R x
            return triangle.norm * np.linalg.norm(x, axis=0), residual

        pair, x = (triangle.times, triangle.adjoint), triangle.solve(rest)
        return self._refined(matrix, pair, triangle, S, x, residual, sizes)

    def _wide(self, sketch, rng):
        """The shortest (x, y) with A x + ridge y = b, by a sketch of A^H."""
        m, n = self.A.shape
        tall = Matrix(adjoint(self.A), self.ridge)
        S = sketch(n, m, rng)
        R, _ = triangle_of(tall.A, None, self.ridge, S, self.b.dtype, self.given)
        if obstacle := self._obstacle(R):
            return obstacle
        triangle = Triangle(R, self.rcond)
        matrix, pair = Adjoint(tall, triangle), (np.copy, np.copy)
        x = np.zeros((tall.rows, self.b.shape[1]), self.b.dtype)

        def residual(x):
            return matrix.residual(x, self.b)

        def sizes(x, _, length):
            return np.maximum(np.linalg.norm(x, axis=0), length), 0.0

        return self._refined(matrix, pair, triangle, S, x, residual, sizes)

    def _refined(self, matrix, pair, triangle, S, x, residual, sizes):
        """Iterations in stages from x on; `sizes`: what changes are compared with."""
        total, square = 0, S.shape[0] == S.shape[1]
        options = {"ratio": 0.0 if square else triangle.rank / S.shape[0]}
        for tol in (max(self.tol, FIRST), self.tol):

            def enough(change, missed, length, x=x, tol=tol):
                solution, residual = sizes(x, missed, length)
                return change <= self.tol * solution + tol * residual

            stage = matrix, pair, residual, x
            change, count, converged = self._iterated(*stage, enough, options)
            x, total = x + change, total + count
        if not converged:
            self.notes.append(f"{self.iteration} has not converged")
        x = x[: self.A.shape[1]]
        residuals, minimal = self._checked(x, triangle.norm)
        if converged and not minimal:
            self.notes.append("the gradient is not zero, so that the sketch is bad")
        found = triangle.rank, triangle.condition, total, converged and minimal
        return x, residuals, *found

    def _checked(self, x, norm):
        """|b - A x|, and whether the gradient is zero to rounding; A is read once."""
        matrix = Matrix(self.A, self.ridge)
        U = np.zeros((matrix.rows, x.shape[1]), self.b.dtype)
        U[: len(self.b)] = self.b
        gradient = norms(matrix.both(x, U, 1.0))
        sizes = norm * (norm * norms(x) + norms(U))
        limit = SLACK * max(self.tol, self.rcond) * sizes
        return norms(U[: len(self.b)]), bool(np.all(gradient <= limit))

    def _iterated(self, matrix, pair, residual, x, enough, options):
        """A stage; LSQR takes over where momentum fails."""
        spent = 0
        while True:
            run = ITERATIONS[self.iteration]
            found = run(matrix, pair, residual(x), enough, self.max_iter, **options)
            change, count, converged = found
            spent += count
            if converged or self.iteration == "lsqr":
                return change, spent, converged
            self.notes.append("momentum has not converged, so LSQR took over")
            self.iteration = "lsqr"
