"""The best approximation of given rank in the range of a matrix, and its gradient.

For A (..., d, l) and Y (..., d, m) let P be the projection onto the range of A. Of all
matrices A M with M of rank k at most, the nearest to Y in the Frobenius norm is
P Y V V^T, with V the first k right singular vectors of P Y (reduced-rank regression:
Izenman, 1975). With s its singular values, the squared error is

    f(A) = |Y|^2 - (s_1^2 + ... + s_k^2) = |Y - P Y|^2 + s_(k+1)^2 + ...

By the envelope theorem V can be held fixed to differentiate: with C = Y V,

    df/dA = -2 (C - P C) (A^+ C)^T,

which exists where s_k > s_(k+1) and A keeps its rank. Leading axes are a stack of
problems.
"""

import numpy as np

# |Y|^2 - |Q^T Y|^2 is used if it leaves this share of |Y|^2, so that at most 4 of 16
# digits cancel; otherwise |Y - Q Q^T Y|^2 is computed, which takes one more product.
CANCELLED = 1e-4


class Subspace:
    """Orthonormal basis Q (..., d, r) of the range of A, and A^+ = inverse @ Q^T.

    r is the rank of A, up to rounding. In a stack of matrices it is the largest of
    their ranks, and surplus columns of Q are zero.
    """

    def __init__(self, A):
        d, width = A.shape[-2:]
        Q, R = np.linalg.qr(A)
        self._R, self._inverse = R, None
        size = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
        tol = max(d, width) * np.finfo(A.dtype).eps
        self.full = d >= width and bool((size > tol * size.max(initial=0)).all())
        if not self.full:
            U, s, Wt = np.linalg.svd(R, full_matrices=False)
            keep = s > tol * s[..., :1]
            r = int(keep.sum(axis=-1).max(initial=0))
            keep, s = keep[..., :r], s[..., :r]
            Q = Q @ (U[..., :r] * keep[..., np.newaxis, :])
            inverse = np.divide(keep, s, out=np.zeros_like(s), where=keep)
            self._inverse = np.swapaxes(Wt[..., :r, :], -1, -2)
            self._inverse = self._inverse * inverse[..., np.newaxis, :]
        self.Q = Q

    def solve(self, z):
        """A^+ Q z."""
        if self.full:
            return np.linalg.solve(self._R, z)
        return self._inverse @ z


class ProjectedLowRank:
    """Best approximations of Y in the range of A, of any rank k.

    `squares` are the s^2 in descending order, `left` the left singular vectors of
    N = Q^T Y.
    """

    def __init__(self, A, Y):
        self.space, self.Y = Subspace(A), Y
        self.N = _t(self.space.Q) @ Y
        squares, left = np.linalg.eigh(self.N @ _t(self.N))
        self.squares, self.left = squares[..., ::-1], left[..., ::-1]

    def error(self, k):
        """Squared errors f of rank k."""
        truncated = np.maximum(self.squares[..., k:], 0).sum(axis=-1)
        total = _squared_norms(self.Y)
        outside = total - _squared_norms(self.N)
        if not (outside >= CANCELLED * total).all():
            outside = _squared_norms(self.Y - self.space.Q @ self.N)
        return outside + truncated

    def gradient(self, k):
        """Gradient df/dA of the squared errors of rank k."""
        W = self.left[..., :k]
        residual = self.Y @ (_t(self.N) @ W)  # C times the singular values
        residual -= self.space.Q @ (W * self.squares[..., np.newaxis, :k])
        return -2 * residual @ _t(self.space.solve(W))


def _squared_norms(matrices):
    """Squared Frobenius norms."""
    return np.einsum("...ij,...ij->...", matrices, matrices)


def _t(matrices):
    return np.swapaxes(matrices, -1, -2)
