"""Few: butterflies smaller than four registers; several samples share a register.

Samples lie one after the other, so a register of u numbers is u / n samples of n < u,
all with the same weights. Layers exist for the strides below n only: a lane never meets
the numbers of another sample, not even times zero.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, place
from .sweep import back, forward, sweep


def few(make, increasing):
    """Make the choice of the layers for a size, with a sweep over the whole array."""
    one = sweep(make, 1, 1, increasing, inner=6)
    inner_1, inner_2, inner_3, inner_4 = (
        sweep(make, 0, 2, increasing, inner=m) for m in (1, 2, 3, 4)
    )

    @helper
    def run(places, arrays, n, registers):
        if n > lanes(arrays[0]):
            one(places, arrays, 0, 0, 1, 1, registers // 2)
        elif n == 2:
            inner_1(places, arrays, 0, 0, 1, 1, registers)
        elif n == 4:
            inner_2(places, arrays, 0, 0, 1, 1, registers)
        elif n == 8:
            inner_3(places, arrays, 0, 0, 1, 1, registers)
        else:
            inner_4(places, arrays, 0, 0, 1, 1, registers)

    return run


@helper
def whole(array, n):
    """An array as one tile: rows are registers, samples of one or two of them."""
    u = lanes(array)
    return place(array, 0, u, max(n, u))


_forward_up, _forward_down = few(forward, True), few(forward, False)
_back_up, _back_down = few(back, True), few(back, False)


@jit
def few_up(x, w, y, n):
    """y = B x for each sample of x, all flat; an even number of registers.

    `w` holds packed weights, for n below a register repeated to fill one.
    """
    _forward_up((whole(x, n), whole(y, n)), (w,), n, len(x) // lanes(x))


@jit
def few_down(x, w, y, n):
    """As `few_up`, strides decreasing."""
    _forward_down((whole(x, n), whole(y, n)), (w,), n, len(x) // lanes(x))


@jit
def few_gradient_up(x, g, w, gx, gw, n):
    """gx = B^H g and gw += sums over samples for the weights' gradient, all flat."""
    places = whole(x, n), whole(g, n), whole(gx, n)
    _back_up(places, (w, gw), n, len(x) // lanes(x))


@jit
def few_gradient_down(x, g, w, gx, gw, n):
    """As `few_gradient_up`, strides decreasing."""
    places = whole(x, n), whole(g, n), whole(gx, n)
    _back_down(places, (w, gw), n, len(x) // lanes(x))
