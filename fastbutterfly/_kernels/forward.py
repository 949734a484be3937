"""Forward: a butterfly applied to samples."""

from .._jit import helper, jit
from .._simd import frozen, lanes, place, width
from .shape import count_levels, forward_sweeps
from .sweep import forward, sweep

ALL = 6  # more layers than fit into a register


def tile_of(increasing, same=False):
    """Make what is done to one tile, for one order of the strides."""
    three, two = (sweep(forward, *k, increasing, same=same) for k in ((3, 1), (2, 2)))
    inner_three, inner_two = (
        sweep(forward, *k, increasing, inner=ALL) for k in ((3, 1), (2, 2))
    )

    @helper
    def run(source, target, tile, w, unit, inner, rows, samples):
        """All layers; `inner` of them lie within registers, in the sweep with s = 1.

        The first sweep reads the source, the last writes the target, those between stay
        in the tile.
        """
        threes, twos = forward_sweeps(rows)
        steps, u = threes + twos, lanes(w)
        next_sample = u if samples > 1 else 0
        for step in range(steps):
            q = step if increasing else steps - 1 - step
            t = 3 * min(q, threes) + 2 * max(q - threes, 0)
            a = b = place(tile, 0, samples * u, next_sample)
            a = place(frozen(tile), 0, samples * u, next_sample)
            if step == 0:
                a = source
            if step == steps - 1:
                b = target
            k, within = 3 if q < threes else 2, 0 if t else inner
            p = (t + inner - within) * rows * unit
            places, size, s = (a, b), (k + within) * (unit << k), 1 << t
            groups = rows >> t + k
            if k == 3 and within:
                inner_three(places, (w,), p, size, s, groups, samples)
            elif k == 3:
                three(places, (w,), p, size, s, groups, samples)
            elif within:
                inner_two(places, (w,), p, size, s, groups, samples)
            else:
                two(places, (w,), p, size, s, groups, samples)

    return run


def _rows(run):
    @helper
    def rows(x, w, y, tile, n):
        u, start = lanes(w), 0
        unit, inner, together = 2 * u * width(w), count_levels(u), len(tile) // n
        while start < len(x):
            samples = min(together, (len(x) - start) // n)
            if samples > 1:
                samples -= samples % 2
            apart = n if samples > 1 else 0
            source, target = place(x, start, u, apart), place(y, start, u, apart)
            run(source, target, tile, w, unit, inner, n // u, samples)
            start += n * samples

    return rows


_rows_up, _rows_down = _rows(tile_of(True)), _rows(tile_of(False))


@jit
def forward_up(x, w, y, tile, n):
    """y = B x for each sample of x, all flat; n at least four registers.

    `w` holds packed weights. `tile` has room for as many samples as are worked on at a
    time; for one sample it may be y.
    """
    _rows_up(x, w, y, tile, n)


@jit
def forward_down(x, w, y, tile, n):
    """As `forward_up`, strides decreasing."""
    _rows_down(x, w, y, tile, n)
