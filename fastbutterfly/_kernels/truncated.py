"""Truncated: butterflies with few outputs (up) or inputs (down), tile by tile.

The layers within registers and some `levels`, not one, are done as always, with weights
as for gradients; those with larger strides by products of weights, see `fan.py`. Their
few coordinates lie in s (samples, classes, 2 * pairs, lane), zeros where there is none.
"""

from .._jit import helper, jit
from .._simd import frozen, lanes, place, width
from .fan import (
    fan_down,
    fan_down_conj,
    fan_sums,
    fan_sums_reverse,
    fan_up,
    fan_up_conj,
)
from .gradient import stage_of, tile_of
from .shape import count_levels, gradient_sweeps
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
def truncated_up(x, w, c, s, tile, n, levels, classes, pairs):
    """Few outputs: s += B x, all flat; `tile` is for as many samples as it has room."""
    u, done, together = lanes(w), 0, len(tile) // n
    slots, fours = 2 * classes * pairs * u, n // (4 * u * classes)
    while done < len(x) // n:
        samples = _count(len(x) // n - done, together)
        apart = 1 if samples > 1 else 0
        z = place(tile, 0, samples * u, apart * u)
        source = place(x, done * n, u, apart * n)
        _lower_up(source, z, tile, w, n, levels, samples)
        target = place(s, done * slots, u, apart * slots)
        fan_up(z, target, c, classes, pairs, fours, samples)
        done += samples


@jit
def truncated_down(s, w, c, y, tile, n, levels, classes, pairs):
    """Few inputs: y = B s, all flat."""
    u, done, together = lanes(w), 0, len(tile) // n
    slots, fours = 2 * classes * pairs * u, n // (4 * u * classes)
    while done < len(y) // n:
        samples = _count(len(y) // n - done, together)
        apart = 1 if samples > 1 else 0
        source = place(s, done * slots, u, apart * slots)
        z = place(tile, 0, samples * u, apart * u)
        fan_down(z, source, c, classes, pairs, fours, samples)
        z = place(frozen(tile), 0, samples * u, apart * u)
        target = place(y, done * n, u, apart * n)
        _lower_down(z, target, tile, w, n, levels, samples)
        done += samples


@jit
def truncated_gradient_up(
    x, s, w, c, gx, gw, gc, tile, scratch, n, levels, classes, pairs
):
    """gx = B^H s; gw and gc get the sums over samples, an even number."""
    u, together = lanes(w), len(tile) // n
    slots, fours = 2 * classes * pairs * u, n // (4 * u * classes)
    unit, layers = 2 * u * width(w), count_levels(u)
    for done in range(0, len(x) // n, together):
        samples = min(together, len(x) // n - done)
        source = place(x, done * n, u, n)
        z, few = place(tile, 0, samples * u, u), place(s, done * slots, u, slots)
        _lower_up(source, z, tile, w, n, levels, samples)
        fan_sums(z, few, gc, classes, pairs, fours, samples)
        fan_down_conj(z, few, c, classes, pairs, fours, samples)
        g, target = place(frozen(tile), 0, samples * u, u), place(gx, done * n, u, n)
        rest = levels, unit, layers, n // u, samples
        _back_up(source, g, target, scratch, w, gw, *rest)


@jit
def truncated_gradient_down(
    s, g, w, c, gs, gw, gc, tile, scratch, n, levels, classes, pairs
):
    """gs += B^H g; gw and gc get the sums over samples, an even number."""
    u, together = lanes(w), len(tile) // (2 * n)
    slots, fours = 2 * classes * pairs * u, n // (4 * u * classes)
    unit, layers = 2 * u * width(w), count_levels(u)
    for done in range(0, len(g) // n, together):
        samples = min(together, len(g) // n - done)
        z, few = place(tile, 0, samples * u, u), place(s, done * slots, u, slots)
        fan_down(z, few, c, classes, pairs, fours, samples)
        z = place(frozen(tile), 0, samples * u, u)
        source = place(g, done * n, u, n)
        target = place(tile, n * samples, samples * u, u)
        rest = levels, unit, layers, n // u, samples
        _back_down(z, source, target, scratch, w, gw, *rest)
        fan_sums_reverse(target, few, gc, classes, pairs, fours, samples)
        few = place(gs, done * slots, u, slots)
        fan_up_conj(target, few, c, classes, pairs, fours, samples)
