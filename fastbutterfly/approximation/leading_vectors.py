"""The best subspace for each of many small matrices."""

import numpy as np

ROUNDS = 6  # of the power iteration
LOSS = 1e-10  # of the squared error, relative, against a singular value decomposition


def best_range(matrices, rank, rough=False):
    """Orthonormal columns that keep most of each, (count, m, min(rank, m, n)).

    Rough: nearly most, where that takes long and the rank is one.
    """
    if rank == 1:
        return _power(matrices, rough)[:, :, np.newaxis]
    return np.linalg.svd(matrices, full_matrices=False)[0][:, :, :rank]


def _power(matrices, rough):
    """First left singular vectors, by power iteration where that converges.

    With lambda the squared singular values, rho = lambda_2 / lambda_1 and delta the
    sine between two iterates, the second of them loses at most
    lambda_1 (rho delta / (1 - rho))^2 of the squared norm that it could keep. What is
    left when lambda is kept bounds lambda_2, so rho is known to be below 1 only if more
    than half is kept. Other matrices, and those that take long, are decomposed.
    """
    count, m, n = matrices.shape
    found = np.zeros((count, m), matrices.dtype)
    norm = _squares(matrices.reshape(count, -1))
    left = np.flatnonzero(norm)
    matrices, norm = _taken(matrices, left), norm[left]
    start = np.random.default_rng(0).standard_normal(n)
    u = _unit(matrices @ start)
    for _ in range(ROUNDS):
        w = _row(u, matrices)
        z = (matrices @ w.conj()[:, :, np.newaxis])[:, :, 0]
        kept, length = _squares(w), _squares(z)
        u = _unit(z)
        done = _converged(kept, length, norm)
        found[left[done]] = u[done]
        if done.all():
            return found
        if not done.any() and (length < 0.3 * kept * norm).all():
            break
        left, matrices = left[~done], matrices[~done]
        u, norm = u[~done], norm[~done]
    found[left] = u if rough else _decomposed(matrices)
    return found


def _converged(kept, length, norm):
    safe = np.maximum(kept, np.finfo(float).tiny)
    delta2 = np.maximum(1 - safe**2 / np.maximum(length, safe**2), 0)
    share = np.minimum(length / (safe * norm), 1)
    rest = 1 - share + 16 * np.finfo(float).eps
    # rho = rest / share, and rho delta^2 / (1 - rho)^2 <= LOSS, without divisions
    return (share > rest) & (rest * share * delta2 <= LOSS * (share - rest) ** 2)


def _decomposed(matrices):
    return np.linalg.svd(matrices, full_matrices=False)[0][:, :, 0]


def _taken(matrices, index):
    return matrices if len(index) == len(matrices) else matrices[index]


def _row(u, matrices):
    return (u.conj()[:, np.newaxis] @ matrices)[:, 0]


def _squares(rows):
    """Squared norm of each row."""
    if rows.dtype.kind == "c":
        rows = np.ascontiguousarray(rows).view(rows.real.dtype)
    return np.einsum("ij,ij->i", rows, rows)


def _unit(rows):
    length = np.sqrt(_squares(rows))[:, np.newaxis]
    return np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
