"""Layers on registers: blocks between two registers, and layers within one.

Rows of samples are cut into registers: register r of a sample holds its coordinates
r * lanes ... (r + 1) * lanes - 1. A layer of stride >= lanes mixes whole registers,
with a weight for each lane; a layer of smaller stride mixes the lanes of one register.
So samples are never transposed, one sample is as good as many, and the gradient of a
weight is a plain sum over samples.

`_packing.py` states the order of the weights that the functions here read. Registers
come in pairs, of two samples, so that a weight loaded once serves twice.
"""

from .._jit import helper
from .._simd import lanes, load, store, swap


@helper
def read(x, i, gap):
    """The registers at x[i] and x[i + gap]."""
    return load(x, i), load(x, i + gap)


@helper
def write(x, i, gap, v):
    """Inverse of `read`."""
    store(x, i, v[0])
    store(x, i + gap, v[1])


@helper
def mix(a, b, w, p):
    """A 2x2 block for each lane, weights w[p : p + 4 * lanes], for both samples."""
    u = lanes(w)
    w00, w01 = load(w, p), load(w, p + u)
    w10, w11 = load(w, p + 2 * u), load(w, p + 3 * u)
    return (
        (w00 * a[0] + w01 * b[0], w00 * a[1] + w01 * b[1]),
        (w10 * a[0] + w11 * b[0], w10 * a[1] + w11 * b[1]),
    )


def _layer_within(s):
    @helper
    def within(v, w, p):
        """Stride s < lanes: y[i] = w[p + i] * v[i] + w[p + lanes + i] * v[i ^ s]."""
        return load(w, p) * v + load(w, p + lanes(w)) * swap(v, s)

    return within


within_1, within_2, within_4, within_8 = map(_layer_within, (1, 2, 4, 8))


@helper
def within_up(v, w, p, size):
    """All layers within a register, strides 1, 2, ...; `size` weights apart."""
    u = lanes(w)
    if u > 1:
        v = within_1(v, w, p)
    if u > 2:
        v = within_2(v, w, p + size)
    if u > 4:
        v = within_4(v, w, p + 2 * size)
    if u > 8:
        v = within_8(v, w, p + 3 * size)
    return v


@helper
def within_down(v, w, p, size):
    """All layers within a register, strides ..., 2, 1; `size` weights apart."""
    u = lanes(w)
    if u > 8:
        v = within_8(v, w, p + 3 * size)
    if u > 4:
        v = within_4(v, w, p + 2 * size)
    if u > 2:
        v = within_2(v, w, p + size)
    if u > 1:
        v = within_1(v, w, p)
    return v
