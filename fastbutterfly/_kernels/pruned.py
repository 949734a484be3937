"""Pruned: butterflies of which few outputs are kept, or few inputs used.

For each tile of samples, few outputs (strides increasing):

1. The layers within registers and some `levels`, not one, are done as always, by the
   sweeps of `butterfly_gradient` and with its order of weights.
2. Those with larger strides, of which few blocks lie on a path to a kept output, are
   replaced by the products of weights on these paths, see `pruned_layers`.

Few inputs (strides decreasing): the mirror image. Without levels both are one pass over
the rows and need no tile: `tile`, or `room` for gradients, is None then. Numba removes
a branch on None before it infers types, so that is a leaner kernel of the same text.

The selected coordinates lie in s (samples, classes, slots, lanes), zeros where there is
none. Arrays are flat. `weights`: those of the lower layers, the products on paths.
`sums`: the sums over samples for their gradients. `sizes`: n, levels, classes, slots,
samples in a tile.
"""

from .._jit.options import helper, jit
from .._jit.staging import lanes, read_only, tile_view
from .butterfly_gradient import gradient_sizes, gradient_sweep, gradient_tile
from .pruned_layers import (
    paths_down,
    paths_down_gradient,
    paths_up,
    paths_up_gradient,
    rows_down,
    rows_down_gradient,
    rows_up,
    rows_up_gradient,
)
from .schedule import gradient_sweeps
from .sweep import forward


def _lower(increasing):
    """Make the lower layers of a tile."""
    sweep = gradient_sweep(forward, increasing)

    @helper
    def run(source, target, tile, w, n, levels, samples):
        """From source to target; between two sweeps the samples stay in `tile`."""
        threes, twos = gradient_sweeps(levels)
        last, u = threes + twos, lanes(w)
        sizes, next_sample = gradient_sizes(w, n, levels), u if samples > 1 else 0
        for step in range(last + 1):
            a = tile_view(read_only(tile), 0, samples * u, next_sample)
            b = tile_view(tile, 0, samples * u, next_sample)
            if step == 0:
                a = source
            if step == last:
                b = target
            sweep((a, b), (w,), step, sizes, samples)

    return run


_lower_up, _lower_down = _lower(True), _lower(False)
_back_up, _back_down = gradient_tile(True), gradient_tile(False)


@helper
def _samples_of_tile(left, limit):
    """Samples of the next tile: an even number, or one."""
    samples = min(limit, left)
    return samples - samples % 2 if samples > 1 else samples


@helper
def _slots_and_rows(u, sizes):
    """Elements of a sample's slots, and rows of a class."""
    n, _, classes, slots, _ = sizes
    return classes * slots * u, n // (u * classes)


@jit
def pruned_outputs(x, weights, s, tile, sizes):
    """s += B x for each sample of x."""
    n, levels, classes, slots, samples_per_tile = sizes
    w, c = weights
    u, batch, done = lanes(w), len(x) // n, 0
    size, rows = _slots_and_rows(u, sizes)
    while done < batch:
        samples = _samples_of_tile(batch - done, samples_per_tile)
        has_next = 1 if samples > 1 else 0
        source = tile_view(x, done * n, u, has_next * n)
        target = tile_view(s, done * size, u, has_next * size)
        if tile is None:
            rows_up((source,), (target,), (w,), (c,), 1, slots, rows, samples)
        else:
            z = tile_view(tile, 0, samples * u, has_next * u)
            _lower_up(source, z, tile, w, n, levels, samples)
            paths_up((z,), (target,), (w,), (c,), classes, slots, rows, samples)
        done += samples


@jit
def pruned_inputs(s, weights, y, tile, sizes):
    """y = B s for each sample of s."""
    n, levels, classes, slots, samples_per_tile = sizes
    w, c = weights
    u, batch, done = lanes(w), len(y) // n, 0
    size, rows = _slots_and_rows(u, sizes)
    while done < batch:
        samples = _samples_of_tile(batch - done, samples_per_tile)
        has_next = 1 if samples > 1 else 0
        source = tile_view(s, done * size, u, has_next * size)
        target = tile_view(y, done * n, u, has_next * n)
        if tile is None:
            rows_down((target,), (source,), (w,), (c,), 1, slots, rows, samples)
        else:
            z = tile_view(tile, 0, samples * u, has_next * u)
            paths_down((z,), (source,), (w,), (c,), classes, slots, rows, samples)
            z_read = tile_view(read_only(tile), 0, samples * u, has_next * u)
            _lower_down(z_read, target, tile, w, n, levels, samples)
        done += samples


@jit
def pruned_outputs_gradient(x, s, weights, gx, sums, room, sizes):
    """gx = B^H s, and `sums` += those over the samples, an even number of them.

    `room`: a tile, and the scratch of `butterfly_gradient`.
    """
    n, levels, classes, slots, samples_per_tile = sizes
    (w, c), (gw, gc) = weights, sums
    u, batch = lanes(w), len(x) // n
    size, rows = _slots_and_rows(u, sizes)
    for done in range(0, batch, samples_per_tile):
        samples = min(samples_per_tile, batch - done)
        source, target = tile_view(x, done * n, u, n), tile_view(gx, done * n, u, n)
        slot, both, paths = tile_view(s, done * size, u, size), (w, gw), (c, gc)
        if room is None:
            ends = source, target
            rows_up_gradient(ends, (slot,), both, paths, 1, slots, rows, samples)
        else:
            tile, scratch = room
            z = tile_view(tile, 0, samples * u, u)
            _lower_up(source, z, tile, w, n, levels, samples)
            paths_up_gradient(
                (z, z), (slot,), both, paths, classes, slots, rows, samples
            )
            views = source, tile_view(read_only(tile), 0, samples * u, u), target
            _back_up(views, scratch, w, gw, gradient_sizes(w, n, levels), samples)


@jit
def pruned_inputs_gradient(s, g, weights, gs, sums, room, sizes):
    """gs += B^H g, and `sums` += those over the samples, an even number of them.

    `room`: two tiles, and the scratch of `butterfly_gradient`.
    """
    n, levels, classes, slots, samples_per_tile = sizes
    (w, c), (gw, gc) = weights, sums
    u, batch = lanes(w), len(g) // n
    size, rows = _slots_and_rows(u, sizes)
    for done in range(0, batch, samples_per_tile):
        samples = min(samples_per_tile, batch - done)
        source, both, paths = tile_view(g, done * n, u, n), (w, gw), (c, gc)
        slot = tile_view(s, done * size, u, size)
        ends = slot, tile_view(gs, done * size, u, size)
        if room is None:
            rows_down_gradient((source,), ends, both, paths, 1, slots, rows, samples)
        else:
            tile, scratch = room
            z = tile_view(tile, 0, samples * u, u)
            paths_down((z,), (slot,), (w,), (c,), classes, slots, rows, samples)
            gz = tile_view(tile, n * samples, samples * u, u)
            views = tile_view(read_only(tile), 0, samples * u, u), source, gz
            _back_down(views, scratch, w, gw, gradient_sizes(w, n, levels), samples)
            paths_down_gradient((gz,), ends, both, paths, classes, slots, rows, samples)
