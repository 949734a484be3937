"""Rounding: weights become integers, row by row, each row with a scale of its own.

Between two linear steps, coordinate i may be multiplied by any t_i > 0: scale the row
that computes it by t_i, and the columns that use it by 1 / t_i. A row W of a step whose
inputs are the integers q_j = t_j x_j becomes

    w = round(u V),  V_j = W_j / t_j,  u = 2**shift t,

and the sum of w_j q_j, divided by 2**shift, is t times the output.

1. Take the largest u that the type of the weights and the range of the output allow.
2. Of scales from half of that on, take the one for which w / u is closest to V,
   weighted by the mean squares of q.

With two weights a row, step 2 gains more than one bit a weight. (Gribonval, Mary and
Riccietti, 2023, hal-04125381, use this freedom for the product of two factors.)
"""

import numpy as np

from .steps import INT16_MAX, INT32_MAX

SHIFTS = 2.0 ** np.arange(31)[:, np.newaxis]  # larger ones leave int32 no room
TRIALS = np.linspace(0.5, 1, 256)  # scales of step 2, relative to u
CHUNK = 1 << 22  # elements of a temporary array, so that memory stays bounded


def round_rows(V, squares, bounds, bits):
    """Return integers w (rows, terms), scales u (rows,), the shift, and if it is wide.

    Parameters
    ----------
    V : array, shape (rows, terms)
        Weights for integer inputs.
    squares : array, shape (rows, terms)
        Mean squares of the inputs of each weight.
    bounds : array, shape (rows,)
        Expected bounds of the absolute values of the outputs, in the units of V.
    bits : int
        Of a weight.

    Notes
    -----
    Wide steps sum in int64. They are for rows of more than two terms whose weights
    would lose precision if sums had to fit into int32.
    """
    terms, sizes = V.shape[1], np.abs(V)
    with np.errstate(divide="ignore"):
        limits = ((1 << bits - 1) - 1) / sizes.max(axis=1)
        by_outputs = INT16_MAX / bounds
        # Each rounded weight adds up to 1/2, and the sum up to 2**shift / 2.
        room = (INT32_MAX - SHIFTS / 2) / (INT16_MAX + 1) - terms / 2 - 2
        by_sums = room / sizes.sum(axis=1)
    tight = bool((by_sums[0] < limits).any())
    wide = tight and terms > 2 and (bits > 8 or terms > INT16_MAX)
    if not wide:
        limits = np.minimum(limits, by_sums)
    limits = np.minimum(limits, SHIFTS * by_outputs)
    # Mean square errors: of rounded weights, and of the output rounded by the shift.
    costs = (squares.sum(axis=1) + SHIFTS**2) / limits**2
    shift = int(costs.sum(axis=1).argmin())
    u = np.where(np.isfinite(limits[shift]), limits[shift], 2.0**shift)
    w, count = np.empty(V.shape, np.int64), max(1, CHUNK // (terms * len(TRIALS)))
    for start in range(0, len(V), count):
        rows = slice(start, start + count)
        w[rows], u[rows] = _round_closest(V[rows], squares[rows], u[rows], shift)
    return w, u, shift, wide


def _round_closest(V, squares, u, shift):
    """The integers and scale of least error for each row, of scales u / 2 to u."""
    trials = u[:, np.newaxis] * TRIALS
    w = np.rint(trials[..., np.newaxis] * V[:, np.newaxis])
    errors = w / trials[..., np.newaxis] - V[:, np.newaxis]
    costs = np.einsum("rtj,rj->rt", errors**2, squares)
    costs += (2.0**shift / trials) ** 2 / 12  # variance of rounding to a unit of output
    best = costs.argmin(axis=1)
    rows = np.arange(len(V))
    return w[rows, best].astype(np.int64), trials[rows, best]
