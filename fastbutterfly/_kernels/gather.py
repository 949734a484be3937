"""Gather: elements taken from, or put at, indices; sums of rows at indices."""

from .._jit.options import jit


@jit
def take(x, index, y, width):
    """y[i, j] = x[i, index[j]] for rows of this width, flat; zero for an index -1."""
    count = len(index)
    for i in range(len(x) // width):
        for j in range(count):
            k = index[j]
            y[i * count + j] = x[i * width + k] if k >= 0 else 0


@jit
def gather(x, index, y):
    """y[i] = x[index[i]], flat."""
    for i in range(len(index)):
        y[i] = x[index[i]]


@jit
def scatter(x, index, y):
    """y[index[i]] = x[i], flat."""
    for i in range(len(index)):
        y[index[i]] = x[i]


@jit
def add_rows(x, index, factors, y, width):
    """y[i] += factors[i] * x[index[i]] for rows of this width, flat."""
    for i in range(len(index)):
        row, c = index[i] * width, factors[i]
        for j in range(width):
            y[i * width + j] += c * x[row + j]
