"""Forward: a butterfly applied to rows of samples."""

from .._jit import jit
from .._simd import frozen, lanes
from .sweep import place, sweep_one, sweep_two, sweep_two_down, sweep_up_two


def _forward(increasing):
    """Make the kernel for one order of the strides."""

    @jit
    def forward(x, w, y, tile, n):
        """y = B x for each sample of x, all flat; n at least four registers.

        `w` holds packed weights. `tile` has room for as many samples as are worked on
        at a time; for one sample it may be y.

        Two levels a sweep, level t with stride 2^t registers; the lowest two with the
        layers within registers, and an odd highest level alone. The first sweep reads
        x, the last writes y, those between stay in the tile.
        """
        u, together = lanes(w), len(tile) // n
        rows, size = n // u, 2 * n
        levels = 0
        while 1 << levels < rows:
            levels += 1
        small, steps = len(w) // size - levels, (levels + 1) // 2
        for start in range(0, len(x), n * together):
            samples = min(together, (len(x) - start) // n)
            for step in range(steps):
                t = 2 * step if increasing else 2 * (steps - 1 - step)
                s, at = 1 << t, (small + t) * size
                source = place(frozen(tile), 0, samples * u, u)
                target = place(tile, 0, samples * u, u)
                if step == 0:
                    source = place(x, start, u, n)
                if step == steps - 1:
                    target = place(y, start, u, n)
                up, down = (at, at + size, s, 2 * s), (at + size, at, 2 * s, s)
                order = up if increasing else down
                if t + 1 == levels:
                    sweep_one(source, target, w, at, s, rows, samples)
                elif t == 0:
                    if increasing:
                        sweep_up_two(source, target, w, order, rows, samples)
                    else:
                        sweep_two_down(source, target, w, order, rows, samples)
                else:
                    sweep_two(source, target, w, order, rows, samples)

    return forward


forward_up, forward_down = _forward(True), _forward(False)
