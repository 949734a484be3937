"""Leading left singular vectors of each of many small matrices."""

import numpy as np

ROUNDS = 6  # of the power iteration at most; slower matrices get an SVD
LOSS = 1e-10  # relative excess of the squared error over that of an SVD


def best_range(matrices, rank, rough=False):
    """Orthonormal bases of the best ranges, (count, m, min(rank, m, n)).

    The projection onto a basis keeps as much of the squared norm as any of that rank.
    rough: for rank one, the last iterate is taken where the power iteration is slow.
    """
    if rank == 1:
        return _power_iteration(matrices, rough)[:, :, np.newaxis]
    return np.linalg.svd(matrices, full_matrices=False)[0][:, :, :rank]


def _power_iteration(matrices, rough):
    """First left singular vectors, by power iteration where that converges.

    With lambda_i the squared singular values, rho = lambda_2 / lambda_1 and delta the
    sine between two iterates, the second iterate loses at most
    lambda_1 (rho delta / (1 - rho))^2 of the squared norm that lambda_1 would keep. The
    squared norm that an iterate does not keep bounds lambda_2, so rho is known to be
    below 1 only if more than half is kept. Matrices for which it is not, or that
    converge slowly, are decomposed by an SVD.
    """
    count, m, n = matrices.shape
    vectors = np.zeros((count, m), matrices.dtype)
    norm2 = _squared_norms(matrices.reshape(count, -1))
    active = np.flatnonzero(norm2)  # indices of the matrices that have not converged
    matrices, norm2 = _taken(matrices, active), norm2[active]
    start = np.random.default_rng(0).standard_normal(n)
    u = _unit(matrices @ start)
    for _ in range(ROUNDS):
        w = _row(u, matrices)
        z = (matrices @ w.conj()[:, :, np.newaxis])[:, :, 0]
        w2, z2 = _squared_norms(w), _squared_norms(z)
        u = _unit(z)
        done = _converged(w2, z2, norm2)
        vectors[active[done]] = u[done]
        if done.all():
            return vectors
        # Each keeps about 0.3 of its squared norm at most; convergence needs 0.5.
        if not done.any() and (z2 < 0.3 * w2 * norm2).all():
            break
        active, matrices = active[~done], matrices[~done]
        u, norm2 = u[~done], norm2[~done]
    vectors[active] = u if rough else _first_singular_vectors(matrices)
    return vectors


def _converged(w2, z2, norm2):
    """Whether u = z / |z| meets LOSS, from |w|^2, |z|^2 and the squared norm of all."""
    safe = np.maximum(w2, np.finfo(float).tiny)
    delta2 = np.maximum(1 - safe**2 / np.maximum(z2, safe**2), 0)
    kept = np.minimum(z2 / (safe * norm2), 1)
    lost = 1 - kept + 16 * np.finfo(float).eps
    # rho <= lost / kept, and rho delta^2 / (1 - rho)^2 <= LOSS, without divisions
    return (kept > lost) & (lost * kept * delta2 <= LOSS * (kept - lost) ** 2)


def _first_singular_vectors(matrices):
    return np.linalg.svd(matrices, full_matrices=False)[0][:, :, 0]


def _taken(matrices, index):
    return matrices if len(index) == len(matrices) else matrices[index]


def _row(u, matrices):
    return (u.conj()[:, np.newaxis] @ matrices)[:, 0]


def _squared_norms(rows):
    """Squared norm of each row."""
    if rows.dtype.kind == "c":
        rows = np.ascontiguousarray(rows).view(rows.real.dtype)
    return np.einsum("ij,ij->i", rows, rows)


def _unit(rows):
    norm = np.sqrt(_squared_norms(rows))[:, np.newaxis]
    return np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
