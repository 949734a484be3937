"""An operator and its products: apply, @, the transpose, a solve, the gradient."""

import numpy as np

import fastbutterfly as fb

rng = np.random.default_rng(0)
B = fb.Butterfly.random(1024, rng=0)  # orthogonal, float64
print(f"{B.shape} with {B.n_weights:,} weights; a dense matrix has {1024**2:,}")

X = rng.standard_normal((256, 1024))  # samples as rows, the fast path
Y = B.apply(X)
print("same as B @ columns:", np.allclose(Y.T, B @ X.T))
print("same as the dense matrix:", np.allclose(Y, X @ B.to_dense().T))
print("orthogonal, so the transpose inverts:", np.allclose(B.T.apply(Y), X))

G = fb.Butterfly.random(64, init="gaussian", rng=1)
x = G.solve(G @ np.ones(64))  # in O(n log n), as is the determinant
print(f"G x = b: error {np.abs(x - 1).max():.1e}, log|det G| {G.slogdet()[1]:.3f}")

# The gradient of f = |B x|^2 / 2 with respect to B x is B x itself.
gradient_x, gradient_weights = B.vjp(X, Y)
print("gradients of samples and weights:", gradient_x.shape, gradient_weights.shape)
