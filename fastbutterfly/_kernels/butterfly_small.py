"""Small: butterflies of less than four registers; several samples share a register.

1. The whole batch is one tile: samples lie one after the other, so a register of u
   elements is u / n samples of n < u, all with the same weights.
2. One sweep does all layers, two registers at a time.

Only the layers with strides below n exist: a lane never meets the elements of another
sample, not even times zero, so NaN and Inf stay in their sample.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, tile_view
from .sweep import INNER, back, forward, sweep


def small_n(layers, increasing):
    """Make the sweep over a whole array, with the layers for each size."""
    two_rows = sweep(layers, 1, 1, increasing, INNER)
    inner_1, inner_2, inner_3, inner_4 = (
        sweep(layers, 0, 2, increasing, inner) for inner in (1, 2, 3, 4)
    )

    @helper
    def run(views, arrays, n, registers):
        if n > lanes(arrays[0]):
            two_rows(views, arrays, 0, 0, 1, 1, registers // 2)
        elif n == 2:
            inner_1(views, arrays, 0, 0, 1, 1, registers)
        elif n == 4:
            inner_2(views, arrays, 0, 0, 1, 1, registers)
        elif n == 8:
            inner_3(views, arrays, 0, 0, 1, 1, registers)
        else:
            inner_4(views, arrays, 0, 0, 1, 1, registers)

    return run


@helper
def as_tile(array, n):
    """An array as one tile: rows are registers, samples of one or two of them."""
    u = lanes(array)
    return tile_view(array, 0, u, max(n, u))


_forward_up, _forward_down = small_n(forward, True), small_n(forward, False)
_back_up, _back_down = small_n(back, True), small_n(back, False)


@jit
def small_up(x, w, y, n):
    """y = B x for each sample of x, all flat; an even number of registers.

    `w` holds packed weights, for n below a register repeated to fill one.
    """
    _forward_up((as_tile(x, n), as_tile(y, n)), (w,), n, len(x) // lanes(x))


@jit
def small_down(x, w, y, n):
    """As `small_up`, strides decreasing."""
    _forward_down((as_tile(x, n), as_tile(y, n)), (w,), n, len(x) // lanes(x))


@jit
def small_gradient_up(x, g, w, gx, gw, n):
    """gx = B^H g and gw += sums over samples for the weights' gradient, all flat."""
    views = as_tile(x, n), as_tile(g, n), as_tile(gx, n)
    _back_up(views, (w, gw), n, len(x) // lanes(x))


@jit
def small_gradient_down(x, g, w, gx, gw, n):
    """As `small_gradient_up`, strides decreasing."""
    views = as_tile(x, n), as_tile(g, n), as_tile(gx, n)
    _back_down(views, (w, gw), n, len(x) // lanes(x))
