"""Truncated: butterflies with few outputs (up) or inputs (down), tile by tile.

The layers within registers and some `levels`, not one, are done as always, with weights
as for gradients; those with larger strides by products of weights, see `fan.py`. Their
few coordinates lie in s (samples, classes, slots, lanes), zeros where there is none.
Without levels all is done in one pass, by the kernels that are called `whole`.

Arrays are flat; `together` samples are worked on at a time, and `tile` has room for so
many.
"""

from .._jit.options import helper, jit
from .._jit.staging import frozen, lanes, place, width
from .butterfly_gradient import stage_of, tile_of
from .pruned_layers import (
    fan_down,
    fan_gradient_down,
    fan_gradient_up,
    fan_up,
    whole_fan_down,
    whole_fan_gradient_down,
    whole_fan_gradient_up,
    whole_fan_up,
)
from .schedule import count_levels, gradient_sweeps
from .sweep import forward


def _lower(increasing):
    stage = stage_of(forward, increasing)

    @helper
    def lower(source, target, tile, w, n, levels, samples):
        """The lower layers of a tile; what is between two sweeps stays in `tile`."""
        u = lanes(w)
        threes, twos = gradient_sweeps(levels)
        last, near = threes + twos, u if samples > 1 else 0
        unit, layers = 2 * u * width(w), count_levels(u)
        for k in range(last + 1):
            a = place(frozen(tile), 0, samples * u, near)
            b = place(tile, 0, samples * u, near)
            if k == 0:
                a = source
            if k == last:
                b = target
            stage((a, b), (w,), k, levels, unit, layers, n // u, samples)

    return lower


_lower_up, _lower_down = _lower(True), _lower(False)
_back_up, _back_down = tile_of(True), tile_of(False)


@helper
def _count(left, together):
    """Samples of the next tile: an even number, or one."""
    samples = min(together, left)
    return samples - samples % 2 if samples > 1 else samples


@jit
def whole_up(x, w, c, s, tile, together, n, levels, classes, slots):
    """Few outputs: s += B x."""
    u, size, done = lanes(w), slots * lanes(w), 0
    while done < len(x) // n:
        samples = _count(len(x) // n - done, together)
        apart = 1 if samples > 1 else 0
        source = place(x, done * n, u, apart * n)
        target = place(s, done * size, u, apart * size)
        whole_fan_up((source,), (target,), (w,), (c,), 1, slots, n // u, samples)
        done += samples


@jit
def whole_down(s, w, c, y, tile, together, n, levels, classes, slots):
    """Few inputs: y = B s."""
    u, size, done = lanes(w), slots * lanes(w), 0
    while done < len(y) // n:
        samples = _count(len(y) // n - done, together)
        apart = 1 if samples > 1 else 0
        source = place(s, done * size, u, apart * size)
        target = place(y, done * n, u, apart * n)
        whole_fan_down((target,), (source,), (w,), (c,), 1, slots, n // u, samples)
        done += samples


@jit
def whole_gradient_up(
    x, s, w, c, gx, gw, gc, tile, scratch, together, n, levels, classes, slots
):
    """gx = B^H s; gw and gc get the sums over samples, an even number."""
    u, size = lanes(w), slots * lanes(w)
    for done in range(0, len(x) // n, together):
        samples = min(together, len(x) // n - done)
        many = place(x, done * n, u, n), place(gx, done * n, u, n)
        few = (place(s, done * size, u, size),)
        rest = 1, slots, n // u, samples
        whole_fan_gradient_up(many, few, (w, gw), (c, gc), *rest)


@jit
def whole_gradient_down(
    s, g, w, c, gs, gw, gc, tile, scratch, together, n, levels, classes, slots
):
    """gs += B^H g; gw and gc get the sums over samples, an even number."""
    u, size = lanes(w), slots * lanes(w)
    for done in range(0, len(g) // n, together):
        samples = min(together, len(g) // n - done)
        many = (place(g, done * n, u, n),)
        few = place(s, done * size, u, size), place(gs, done * size, u, size)
        rest = 1, slots, n // u, samples
        whole_fan_gradient_down(many, few, (w, gw), (c, gc), *rest)


@jit
def truncated_up(x, w, c, s, tile, together, n, levels, classes, slots):
    """As `whole_up`, with levels."""
    u, done = lanes(w), 0
    size, rows = classes * slots * u, n // (u * classes)
    while done < len(x) // n:
        samples = _count(len(x) // n - done, together)
        apart = 1 if samples > 1 else 0
        z = place(tile, 0, samples * u, apart * u)
        source = place(x, done * n, u, apart * n)
        _lower_up(source, z, tile, w, n, levels, samples)
        target = place(s, done * size, u, apart * size)
        fan_up((z,), (target,), (w,), (c,), classes, slots, rows, samples)
        done += samples


@jit
def truncated_down(s, w, c, y, tile, together, n, levels, classes, slots):
    """As `whole_down`, with levels."""
    u, done = lanes(w), 0
    size, rows = classes * slots * u, n // (u * classes)
    while done < len(y) // n:
        samples = _count(len(y) // n - done, together)
        apart = 1 if samples > 1 else 0
        source = place(s, done * size, u, apart * size)
        z = place(tile, 0, samples * u, apart * u)
        fan_down((z,), (source,), (w,), (c,), classes, slots, rows, samples)
        z = place(frozen(tile), 0, samples * u, apart * u)
        target = place(y, done * n, u, apart * n)
        _lower_down(z, target, tile, w, n, levels, samples)
        done += samples


@jit
def truncated_gradient_up(
    x, s, w, c, gx, gw, gc, tile, scratch, together, n, levels, classes, slots
):
    """As `whole_gradient_up`, with levels."""
    u = lanes(w)
    size, rows = classes * slots * u, n // (u * classes)
    unit, layers = 2 * u * width(w), count_levels(u)
    for done in range(0, len(x) // n, together):
        samples = min(together, len(x) // n - done)
        source = place(x, done * n, u, n)
        z, few = place(tile, 0, samples * u, u), place(s, done * size, u, size)
        _lower_up(source, z, tile, w, n, levels, samples)
        rest = classes, slots, rows, samples
        fan_gradient_up((z, z), (few,), (w, gw), (c, gc), *rest)
        g, target = place(frozen(tile), 0, samples * u, u), place(gx, done * n, u, n)
        rest = levels, unit, layers, n // u, samples
        _back_up(source, g, target, scratch, w, gw, *rest)


@jit
def truncated_gradient_down(
    s, g, w, c, gs, gw, gc, tile, scratch, together, n, levels, classes, slots
):
    """As `whole_gradient_down`, with levels; two tiles."""
    u = lanes(w)
    size, rows = classes * slots * u, n // (u * classes)
    unit, layers = 2 * u * width(w), count_levels(u)
    for done in range(0, len(g) // n, together):
        samples = min(together, len(g) // n - done)
        z, few = place(tile, 0, samples * u, u), place(s, done * size, u, size)
        fan_down((z,), (few,), (w,), (c,), classes, slots, rows, samples)
        z = place(frozen(tile), 0, samples * u, u)
        source = place(g, done * n, u, n)
        target = place(tile, n * samples, samples * u, u)
        rest = levels, unit, layers, n // u, samples
        _back_down(z, source, target, scratch, w, gw, *rest)
        few = few, place(gs, done * size, u, size)
        rest = classes, slots, rows, samples
        fan_gradient_down((target,), few, (w, gw), (c, gc), *rest)
