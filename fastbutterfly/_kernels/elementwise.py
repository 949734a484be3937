"""Elementwise: activations and a comparison that NumPy takes several passes for."""

from .._jit.options import jit


@jit
def relu(x, y):
    """y = max(x, 0), flat; NaN stays NaN."""
    for i in range(len(x)):
        y[i] = 0 if x[i] <= 0 else x[i]


@jit
def relu_back(y, g, gx):
    """gx = g where y > 0, else 0, flat."""
    for i in range(len(y)):
        gx[i] = g[i] if y[i] > 0 else 0


@jit
def same(x, y):
    """Whether two flat arrays have the same integers; (size,) each.

    Without a branch in the loop, which would keep LLVM from vectorising it.
    """
    differing = 0
    for i in range(len(x)):
        differing |= x[i] ^ y[i]
    return differing == 0
