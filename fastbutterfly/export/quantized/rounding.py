"""Rounding: weights become integers, row by row, each row with a scale of its own.

Between two linear steps, coordinate i may be multiplied by any t_i > 0: the row that
makes it by t_i, the columns that take it by 1 / t_i. A row W of a step, whose inputs
are the integers q_j = t_j x_j, becomes

    w = round(u V),  V_j = W_j / t_j,  u = 2**shift t,

and the sum of w_j q_j, divided by 2**shift, is t times the output. So u is at first as
large as the type of the weights and the range of the output allow, and then the one,
from half of that on, for which w / u is closest to V, weighted by the mean squares of
q. With two weights a row that is worth more than a bit each. (Gribonval, Mary and
Riccietti, 2023, hal-04125381, use this freedom for the product of two factors.)
"""

import numpy as np

from .steps import ACCUMULATOR, LARGEST

SHIFTS = 2.0 ** np.arange(31)[:, np.newaxis]
TRIES = np.linspace(0.5, 1, 256)
CHUNK = 1 << 22  # numbers at a time


def rounded(V, squares, largest, bits):
    """Return integers w (rows, terms), scales u (rows,), shift, and whether int64.

    V: weights for integer inputs, (rows, terms). squares: mean squares of the inputs,
    of the same shape. largest: (rows,), what the outputs, in units of V's, reach.
    """
    terms, sizes = V.shape[1], np.abs(V)
    with np.errstate(divide="ignore"):
        most = ((1 << bits - 1) - 1) / sizes.max(axis=1)
        by_outputs = LARGEST / largest
        room = (ACCUMULATOR - SHIFTS / 2) / (LARGEST + 1) - terms / 2 - 2
        by_sums = room / sizes.sum(axis=1)
    tight = bool((by_sums[0] < most).any())
    wide = tight and terms > 2 and (bits > 8 or terms > LARGEST)
    if not wide:
        most = np.minimum(most, by_sums)
    limits = np.minimum(most, SHIFTS * by_outputs)
    costs = (squares.sum(axis=1) + SHIFTS**2) / limits**2
    shift = int(costs.sum(axis=1).argmin())
    u = np.where(np.isfinite(limits[shift]), limits[shift], 2.0**shift)
    w, step = np.empty(V.shape, np.int64), max(1, CHUNK // (terms * len(TRIES)))
    for start in range(0, len(V), step):
        part = slice(start, start + step)
        w[part], u[part] = _closest(V[part], squares[part], u[part], shift)
    return w, u, shift, wide


def _closest(V, squares, u, shift):
    """The best of the scales from u / 2 to u, and the integers."""
    tries = u[:, np.newaxis] * TRIES
    w = np.rint(tries[..., np.newaxis] * V[:, np.newaxis])
    errors = w / tries[..., np.newaxis] - V[:, np.newaxis]
    costs = np.einsum("rtj,rj->rt", errors**2, squares)
    costs += (2.0**shift / tries) ** 2 / 12
    best = costs.argmin(axis=1)
    rows = np.arange(len(V))
    return w[rows, best].astype(np.int64), tries[rows, best]
