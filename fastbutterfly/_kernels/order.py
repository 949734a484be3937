"""Order: rows whose numbers are taken in another order."""

from .._jit import jit


@jit
def take(x, index, y, width):
    """y[i, j] = x[i, index[j]] for rows of this width, flat; zero for an index -1."""
    count = len(index)
    for i in range(len(x) // width):
        for j in range(count):
            k = index[j]
            y[i * count + j] = x[i * width + k] if k >= 0 else 0
