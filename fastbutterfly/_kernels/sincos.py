"""Cosine and sine of arrays, of arguments of any size, in turns.

1. Take off whole turns, then quarters, both without a rounding error.
2. At most an eighth of a turn is left; polynomials give its cosine and sine.
3. Rotate by the q quarters, (cos, sin) = (1 - |q|, q (2 - |q|)) for |q| <= 2, without
   a branch, so that LLVM vectorises the loop.
"""

import numpy as np

from .._jit.options import jit


@jit
def sincos(z, turns, series, numbers, y, sizes, starts):
    """Write cos(2 pi u) and sin(2 pi u), u = z * turns; z and y are flat.

    sizes: (rows, stride). Of the len(z) // rows elements of a row of z the first
    len(turns) are used. The cosines of row i start at y[i * stride + starts[0]], its
    sines at y[i * stride + starts[1]]. series: coefficients of the first 9 even powers
    of u for the cosine, of the first 8 odd ones for the sine. numbers: 1/2, 1/4, 1, 2
    and 4 in the dtype, as a literal would make it float64.
    """
    half, quarter, one, two, four = numbers
    rows, stride = sizes
    each, width = len(z) // rows, len(turns)
    c0, c1, c2, c3, c4, c5, c6, c7, c8 = series[0]
    s0, s1, s2, s3, s4, s5, s6, s7 = series[1]
    for i in range(rows):
        source = z[i * each :]
        cosines, sines = y[i * stride + starts[0] :], y[i * stride + starts[1] :]
        for j in range(width):
            u = source[j] * turns[j]
            u -= np.floor(u + half)
            q = np.floor(four * u + half)
            u -= quarter * q
            v = u * u
            c = c4 + v * (c5 + v * (c6 + v * (c7 + v * c8)))
            c = c0 + v * (c1 + v * (c2 + v * (c3 + v * c)))
            s = s4 + v * (s5 + v * (s6 + v * s7))
            s = u * (s0 + v * (s1 + v * (s2 + v * (s3 + v * s))))
            a, b = one - abs(q), q * (two - abs(q))
            cosines[j] = a * c - b * s
            sines[j] = a * s + b * c
