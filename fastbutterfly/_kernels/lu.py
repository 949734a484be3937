"""LU factors without pivoting, of a small block."""

from .._jit.options import jit


@jit
def eliminate(A, start, stop, count):
    """LU factors of the block A[start:stop, start:stop] of flat A (m, count), in place.

    Without pivoting: L has ones on its diagonal, U is above.
    """
    for k in range(start, stop):
        pivot = 1 / A[k * count + k]
        for i in range(k + 1, stop):
            factor = A[i * count + k] * pivot
            A[i * count + k] = factor
            for j in range(k + 1, stop):
                A[i * count + j] -= factor * A[k * count + j]
