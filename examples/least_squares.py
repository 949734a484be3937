"""Least squares by sketching, and a preconditioner for SciPy's conjugate gradients."""

import numpy as np
from scipy.linalg import toeplitz
from scipy.sparse.linalg import cg, lsqr

import fastbutterfly as fb
from fastbutterfly import linalg

rng = np.random.default_rng(0)
A = rng.standard_normal((20_000, 100)) * np.geomspace(1, 1e-6, 100)  # ill-conditioned
b = rng.standard_normal(20_000)
solution = linalg.lstsq(A, b, rng=0)
exact = np.linalg.norm(b - A @ np.linalg.lstsq(A, b)[0])
print(f"lstsq by {solution.method}: residual norm {solution.residual_norm:.12f}")
print(f"NumPy:{'':<17} residual norm {exact:.12f}")

# Conjugate gradients with a butterfly as approximate inverse.
T = toeplitz(1 / (1 + np.arange(256.0)))
M = linalg.preconditioner(T, spd=True, rng=0)
for name, preconditioner in {"without": None, "with": M}.items():
    iterates = []
    x, failed = cg(T, np.ones(256), M=preconditioner, callback=iterates.append)
    error = np.linalg.norm(T @ x - 1) / 16
    print(f"cg {name} M: {len(iterates)} iterations, residual {error:.1e}")

# SciPy's iterative solvers take a butterfly as it is: the minimum-norm solution.
J = fb.fjlt(100, 3000, rng=0)
x = lsqr(J, np.ones(100), atol=1e-12, btol=1e-12)[0]
print("lsqr of a butterfly: J x = 1:", np.allclose(J @ x, 1))
