"""Sweeps: one, two or all-within-a-register layers applied to all rows of a tile.

A row is a register of each of the tile's samples. Where register r of sample h lies is
told by a place (array, start, row, sample): array[start + r * row + h * sample :].
Weights of the level with stride 2^t registers start at w[(small + t) * size], where
size = 2 * n and `small` layers lie within a register.
"""

from .._jit import helper
from .._simd import lanes, load, store
from .registers import mix, read, within_down, within_up, write


@helper
def _nothing(v, w, p, size):
    return v


@helper
def place(array, start, row, sample):
    """Where a tile lies."""
    return array, start, row, sample


def _for_both(layers):
    @helper
    def both(v, w, p, size):
        return layers(v[0], w, p, size), layers(v[1], w, p, size)

    return both


_keep, _up, _down = map(_for_both, (_nothing, within_up, within_down))


def _sweep_two(before, after):
    """Make the sweep over two levels, with the layers within registers fused in."""

    @helper
    def sweep(source, target, w, order, rows, samples):
        """Blocks of a level with stride h1, then one with h2; they are s and 2 s.

        `order` is where the weights of the two levels start, then h1 and h2.

        Rows r, r + s, r + 2 s, r + 3 s, with r % 4 s < s, are a closed group. Both
        levels' blocks on it are number r' and r' + s of their level.
        """
        x, x0, x_row, x_sample = source
        y, y0, y_row, y_sample = target
        at_1, at_2, h1, h2 = order
        u, size = lanes(w), 2 * rows * lanes(w)
        s = min(h1, h2)
        for group in range(0, rows, 4 * s):
            for r in range(group, group + s):
                p = (r - group // 2) * 4 * u
                q = p + s * 4 * u
                within = 2 * r * u
                for h in range(0, samples, 2):
                    gap = min(1, samples - 1 - h)
                    i, gap_x = x0 + r * x_row + h * x_sample, gap * x_sample
                    a = read(x, i, gap_x)
                    b = read(x, i + h1 * x_row, gap_x)
                    c = read(x, i + h2 * x_row, gap_x)
                    d = read(x, i + (h1 + h2) * x_row, gap_x)
                    a = before(a, w, within, size)
                    b = before(b, w, within + 2 * h1 * u, size)
                    c = before(c, w, within + 2 * h2 * u, size)
                    d = before(d, w, within + 2 * (h1 + h2) * u, size)
                    a, b = mix(a, b, w, at_1 + p)
                    c, d = mix(c, d, w, at_1 + q)
                    a, c = mix(a, c, w, at_2 + p)
                    b, d = mix(b, d, w, at_2 + q)
                    a = after(a, w, within, size)
                    b = after(b, w, within + 2 * h1 * u, size)
                    c = after(c, w, within + 2 * h2 * u, size)
                    d = after(d, w, within + 2 * (h1 + h2) * u, size)
                    i, gap_y = y0 + r * y_row + h * y_sample, gap * y_sample
                    write(y, i, gap_y, a)
                    write(y, i + h1 * y_row, gap_y, b)
                    write(y, i + h2 * y_row, gap_y, c)
                    write(y, i + (h1 + h2) * y_row, gap_y, d)

    return sweep


sweep_two = _sweep_two(_keep, _keep)
sweep_up_two = _sweep_two(_up, _keep)
sweep_two_down = _sweep_two(_keep, _down)


@helper
def sweep_one(source, target, w, at, s, rows, samples):
    """Blocks of the level with stride s."""
    x, x0, x_row, x_sample = source
    y, y0, y_row, y_sample = target
    u = lanes(w)
    for group in range(0, rows, 2 * s):
        for r in range(group, group + s):
            p = at + (r - group // 2) * 4 * u
            w00, w01 = load(w, p), load(w, p + u)
            w10, w11 = load(w, p + 2 * u), load(w, p + 3 * u)
            for h in range(samples):
                i = x0 + r * x_row + h * x_sample
                a, b = load(x, i), load(x, i + s * x_row)
                i = y0 + r * y_row + h * y_sample
                store(y, i, w00 * a + w01 * b)
                store(y, i + s * y_row, w10 * a + w11 * b)


@helper
def sweep_up(source, target, w, rows, samples):
    """All layers within registers, strides 1, 2, ..., on their own."""
    x, x0, x_row, x_sample = source
    y, y0, y_row, y_sample = target
    u, size = lanes(w), 2 * rows * lanes(w)
    for r in range(rows):
        for h in range(samples):
            v = load(x, x0 + r * x_row + h * x_sample)
            store(y, y0 + r * y_row + h * y_sample, within_up(v, w, 2 * r * u, size))
