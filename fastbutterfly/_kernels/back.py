"""Back: sweeps from the gradient of a layer's output to that of its input and weights.

Each takes the place of what went in (saved), of the gradient of what came out (grad),
and where the gradient of what went in goes (target); gw collects that of the weights.
"""

from .._jit import helper
from .._simd import lanes, load, store, swap
from .registers import mix, read, within_1, within_2, within_4, within_8, write


@helper
def mix_back(a, b, c, d, w, gw, p):
    """Back through `mix`: inputs a, b and gradients c, d of a pair of samples."""
    u = lanes(w)
    store(gw, p, load(gw, p) + c[0] * a[0] + c[1] * a[1])
    store(gw, p + u, load(gw, p + u) + c[0] * b[0] + c[1] * b[1])
    store(gw, p + 2 * u, load(gw, p + 2 * u) + d[0] * a[0] + d[1] * a[1])
    store(gw, p + 3 * u, load(gw, p + 3 * u) + d[0] * b[0] + d[1] * b[1])
    w00, w01 = load(w, p), load(w, p + u)
    w10, w11 = load(w, p + 2 * u), load(w, p + 3 * u)
    return (
        (w00 * c[0] + w10 * d[0], w00 * c[1] + w10 * d[1]),
        (w01 * c[0] + w11 * d[0], w01 * c[1] + w11 * d[1]),
    )


@helper
def back_two(saved, grad, target, w, gw, order, rows, samples):
    """Back through the two levels of `sweep_two`, for an even number of samples."""
    x, x0, x_row, x_sample = saved
    g, g0, g_row, g_sample = grad
    y, y0, y_row, y_sample = target
    at_1, at_2, h1, h2 = order
    u, s = lanes(w), min(h1, h2)
    for group in range(0, rows, 4 * s):
        for r in range(group, group + s):
            p = (r - group // 2) * 4 * u
            q = p + s * 4 * u
            for h in range(0, samples, 2):
                i = x0 + r * x_row + h * x_sample
                a, b = read(x, i, x_sample), read(x, i + h1 * x_row, x_sample)
                i += h2 * x_row
                c, d = read(x, i, x_sample), read(x, i + h1 * x_row, x_sample)
                a2, b2 = mix(a, b, w, at_1 + p)
                c2, d2 = mix(c, d, w, at_1 + q)
                i = g0 + r * g_row + h * g_sample
                ga, gb = read(g, i, g_sample), read(g, i + h1 * g_row, g_sample)
                i += h2 * g_row
                gc, gd = read(g, i, g_sample), read(g, i + h1 * g_row, g_sample)
                ga, gc = mix_back(a2, c2, ga, gc, w, gw, at_2 + p)
                gb, gd = mix_back(b2, d2, gb, gd, w, gw, at_2 + q)
                ga, gb = mix_back(a, b, ga, gb, w, gw, at_1 + p)
                gc, gd = mix_back(c, d, gc, gd, w, gw, at_1 + q)
                i = y0 + r * y_row + h * y_sample
                write(y, i, y_sample, ga)
                write(y, i + h1 * y_row, y_sample, gb)
                i += h2 * y_row
                write(y, i, y_sample, gc)
                write(y, i + h1 * y_row, y_sample, gd)


@helper
def back_one(saved, grad, target, w, gw, at, s, rows, samples):
    """Back through the level of `sweep_one`, for an even number of samples."""
    x, x0, x_row, x_sample = saved
    g, g0, g_row, g_sample = grad
    y, y0, y_row, y_sample = target
    u = lanes(w)
    for group in range(0, rows, 2 * s):
        for r in range(group, group + s):
            p = at + (r - group // 2) * 4 * u
            for h in range(0, samples, 2):
                i = x0 + r * x_row + h * x_sample
                a, b = read(x, i, x_sample), read(x, i + s * x_row, x_sample)
                i = g0 + r * g_row + h * g_sample
                c, d = read(g, i, g_sample), read(g, i + s * g_row, g_sample)
                c, d = mix_back(a, b, c, d, w, gw, p)
                i = y0 + r * y_row + h * y_sample
                write(y, i, y_sample, c)
                write(y, i + s * y_row, y_sample, d)


def _back_within(s):
    @helper
    def back(v, c, w, gw, p):
        """Back through the layer of stride s in a register: input v, gradient c."""
        u = lanes(w)
        store(gw, p, load(gw, p) + c * v)
        store(gw, p + u, load(gw, p + u) + c * swap(v, s))
        return load(w, p) * c + swap(load(w, p + u) * c, s)

    return back


back_1, back_2, back_4, back_8 = map(_back_within, (1, 2, 4, 8))


@helper
def back_up(saved, grad, target, w, gw, rows, samples):
    """Back through strides 1, 2, ... within registers, forward on the way."""
    x, x0, x_row, x_sample = saved
    g, g0, g_row, g_sample = grad
    y, y0, y_row, y_sample = target
    u, size = lanes(w), 2 * rows * lanes(w)
    for r in range(rows):
        p = 2 * r * u
        for h in range(samples):
            v1 = load(x, x0 + r * x_row + h * x_sample)
            v2 = within_1(v1, w, p) if u > 1 else v1
            v4 = within_2(v2, w, p + size) if u > 2 else v2
            v8 = within_4(v4, w, p + 2 * size) if u > 4 else v4
            c = load(g, g0 + r * g_row + h * g_sample)
            if u > 8:
                c = back_8(v8, c, w, gw, p + 3 * size)
            if u > 4:
                c = back_4(v4, c, w, gw, p + 2 * size)
            if u > 2:
                c = back_2(v2, c, w, gw, p + size)
            if u > 1:
                c = back_1(v1, c, w, gw, p)
            store(y, y0 + r * y_row + h * y_sample, c)


@helper
def back_down(saved, grad, target, w, gw, rows, samples):
    """Back through strides ..., 2, 1 within registers, forward on the way."""
    x, x0, x_row, x_sample = saved
    g, g0, g_row, g_sample = grad
    y, y0, y_row, y_sample = target
    u, size = lanes(w), 2 * rows * lanes(w)
    for r in range(rows):
        p = 2 * r * u
        for h in range(samples):
            v8 = load(x, x0 + r * x_row + h * x_sample)
            v4 = within_8(v8, w, p + 3 * size) if u > 8 else v8
            v2 = within_4(v4, w, p + 2 * size) if u > 4 else v4
            v1 = within_2(v2, w, p + size) if u > 2 else v2
            c = load(g, g0 + r * g_row + h * g_sample)
            if u > 1:
                c = back_1(v1, c, w, gw, p)
            if u > 2:
                c = back_2(v2, c, w, gw, p + size)
            if u > 4:
                c = back_4(v4, c, w, gw, p + 2 * size)
            if u > 8:
                c = back_8(v8, c, w, gw, p + 3 * size)
            store(y, y0 + r * y_row + h * y_sample, c)
