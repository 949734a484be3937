"""Gradient: of <g, B x> with respect to x and to the weights, for rows of samples.

A tile of samples goes forward, two levels a step, and the input of every step is kept;
then back, with what lies between two levels computed again in registers. The gradient
of packed weights is a sum over samples, lane by lane.
"""

from .._jit import jit
from .._simd import frozen, lanes
from .back import back_down, back_one, back_two, back_up
from .sweep import place, sweep_one, sweep_two, sweep_up

# Registers between two tiles. Without them the same row of all tiles falls into one
# set of the L1 cache: 1.3 times slower at n = 1024, 1.9 times at 4096 in float64.
SKEW = 20


def _gradient(increasing):
    """Make the kernel for one order of the strides."""
    kept = 0 if increasing else 1  # first step whose input is kept, not x itself

    @jit
    def gradient(x, g, w, gx, gw, scratch, together, n):
        """gx = B^T g and gw += sum over samples of g x^T at each block, all flat.

        The number of samples is even and n at least four registers. `together` samples
        are worked on at a time; `scratch` has room for a tile for each step and one
        more, and for SKEW registers each.
        """
        u, size, scratch_read = lanes(w), 2 * n, frozen(scratch)
        rows, levels = n // u, 0
        while 1 << levels < rows:
            levels += 1
        small, steps = len(w) // size - levels, (levels + 1) // 2
        for start in range(0, len(x), n * together):
            samples = min(together, (len(x) - start) // n)
            tile, row = n * samples + SKEW * u, samples * u
            if increasing:
                first = place(scratch, 0, row, u)
                sweep_up(place(x, start, u, n), first, w, rows, samples)
            for step in range(steps - 1 + kept):
                t = 2 * step if increasing else 2 * (steps - 1 - step)
                s, at = 1 << t, (small + t) * size
                source = place(scratch_read, (step - kept) * tile, row, u)
                target = place(scratch, (step - kept + 1) * tile, row, u)
                if step < kept:
                    source = place(x, start, u, n)
                up, down = (at, at + size, s, 2 * s), (at + size, at, 2 * s, s)
                order = up if increasing else down
                if t + 1 == levels:
                    sweep_one(source, target, w, at, s, rows, samples)
                else:
                    sweep_two(source, target, w, order, rows, samples)
            back = place(scratch_read, steps * tile, row, u)
            if not increasing:
                last = place(scratch_read, (steps - 1) * tile, row, u)
                target = place(scratch, steps * tile, row, u)
                back_down(last, place(g, start, u, n), target, w, gw, rows, samples)
            for step in range(steps - 1, -1, -1):
                t = 2 * step if increasing else 2 * (steps - 1 - step)
                s, at = 1 << t, (small + t) * size
                saved = place(scratch_read, (step - kept) * tile, row, u)
                grad, target = back, place(scratch, steps * tile, row, u)
                if step < kept:
                    saved, target = place(x, start, u, n), place(gx, start, u, n)
                if increasing and step == steps - 1:
                    grad = place(g, start, u, n)
                up, down = (at, at + size, s, 2 * s), (at + size, at, 2 * s, s)
                order = up if increasing else down
                if t + 1 == levels:
                    back_one(saved, grad, target, w, gw, at, s, rows, samples)
                else:
                    back_two(saved, grad, target, w, gw, order, rows, samples)
            if increasing:
                target = place(gx, start, u, n)
                back_up(place(x, start, u, n), back, target, w, gw, rows, samples)

    return gradient


gradient_up, gradient_down = _gradient(True), _gradient(False)
