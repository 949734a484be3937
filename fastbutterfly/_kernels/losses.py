"""Losses and their gradients, row by row of the outputs of a network.

A row stays in the cache between its passes; NumPy takes each over all rows.
"""

import numpy as np

from .._jit.options import jit


@jit
def shift(z, shifted):
    """shifted = z - the maximum of its row, (rows, n); NaN stays in its row."""
    rows, n = z.shape
    for i in range(rows):
        maximum = z[i, 0]
        for j in range(1, n):
            maximum = z[i, j] if z[i, j] > maximum else maximum
        for j in range(n):
            shifted[i, j] = z[i, j] - maximum


@jit
def cross_entropy(z, e, y, of_class, of_row, own, base):
    """Return the sum of -q * log(softmax(z)); e = exp(z) becomes the gradient.

    z, e (rows, n). q = of_row[i] * of_class[j] * r, r = base, or base + own for the
    label y[i].
    """
    rows, n = z.shape
    value = 0.0
    for i in range(rows):
        total, mass = e[i, 0], of_class[0] * 0
        for j in range(1, n):
            total += e[i, j]
        log = np.log(total)
        for j in range(n):
            q = base + own if j == y[i] else base
            q *= of_class[j] * of_row[i]
            mass += q
            if q > 0:  # -inf is the logarithm of 0, and 0 times it is not a number
                value -= q * (z[i, j] - log)
        for j in range(n):
            q = base + own if j == y[i] else base
            e[i, j] = e[i, j] / total * mass - q * of_class[j] * of_row[i]
    return value


@jit
def squared(z, y, shares, gradient):
    """Return the sum of shares[i] * (z - y)^2; its gradient is written. (rows, n)."""
    rows, n = z.shape
    value = 0.0
    for i in range(rows):
        total, twice = z[i, 0] * 0, shares[i] + shares[i]
        for j in range(n):
            error = z[i, j] - y[i, j]
            total += error * error
            gradient[i, j] = error * twice
        value += np.float64(shares[i]) * total
    return value
