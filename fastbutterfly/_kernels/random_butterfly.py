"""Random butterfly layers on the rows or columns of a matrix, in place.

A layer on n coordinates pairs i with i + ceil(n / 2): a and b become r (a + b) and
r' (a - b). For odd n the coordinate in the middle has no partner and becomes 2 r a.
The factor that makes this orthonormal is in r: sqrt(1 / 2), and 1 / 2 in the middle.
"""

from .._jit.options import jit


@jit
def rows(A, start, n, r, count):
    """R^T A for the layer on rows start ... start + n - 1 of A (m, count), flat."""
    h = (n + 1) // 2
    for i in range(start, start + n - h):
        c, d = r[i], r[i + h]
        for j in range(count):
            a, b = A[i * count + j], A[(i + h) * count + j]
            A[i * count + j] = c * (a + b)
            A[(i + h) * count + j] = d * (a - b)
    if n % 2:
        i = start + h - 1
        for j in range(count):
            A[i * count + j] *= 2 * r[i]


@jit
def columns(A, start, n, r, count):
    """A R for the layer on columns start ... start + n - 1 of A (m, count), flat."""
    h = (n + 1) // 2
    for k in range(len(A) // count):
        at = k * count
        for j in range(at + start, at + start + n - h):
            a, b = A[j], A[j + h]
            A[j] = r[j - at] * (a + b)
            A[j + h] = r[j + h - at] * (a - b)
        if n % 2:
            A[at + start + h - 1] *= 2 * r[start + h - 1]


@jit
def back(A, start, n, r, count):
    """R A, the adjoint of `rows`, for the layer on rows of A (m, count), flat."""
    h = (n + 1) // 2
    for i in range(start, start + n - h):
        c, d = r[i], r[i + h]
        for j in range(count):
            a, b = c * A[i * count + j], d * A[(i + h) * count + j]
            A[i * count + j] = a + b
            A[(i + h) * count + j] = a - b
    if n % 2:
        i = start + h - 1
        for j in range(count):
            A[i * count + j] *= 2 * r[i]
