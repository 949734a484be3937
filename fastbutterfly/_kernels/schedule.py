"""Schedule: which layers each sweep does, for the kernels and for the packing.

A row is a register of a sample; of R rows there are log2(R) levels, level t mixing rows
that are 2**t apart. The layers within registers are no levels.

1. Forward, the sweeps take three levels as often as that leaves pairs for the others.
   The sweep with stride one does the layers within registers as well.
2. For gradients the layers within registers are a sweep of their own. The others take
   two levels, one of them three if the number of levels is odd.
3. Sweeps are numbered from small strides to large; strides that decrease run through
   them backwards.

A sweep loads and stores each row once, so the more levels it takes, the less memory
traffic a level costs. Forward, three levels are 8 rows of a sample; with weights and
products they fill the 16 registers that most CPUs have, and 16 rows would not fit. A
gradient has the value and the gradient of each row in registers, so two levels, 4 rows
of two samples, are as many.
"""

import functools
from typing import NamedTuple

from .._jit.options import helper


class Sweep(NamedTuple):
    """The layers of a sweep: levels first, first + 1, ..., and those in registers."""

    first: int
    levels: int
    inner: int


@helper
def count_levels(rows):
    """log2(rows)."""
    levels = 0
    while 1 << levels < rows:
        levels += 1
    return levels


@helper
def forward_sweeps(rows):
    """Number of sweeps of three levels, as many as possible, and of two."""
    levels = count_levels(rows)
    twos = -levels % 3
    return (levels - 2 * twos) // 3, twos


@helper
def gradient_sweeps(levels):
    """Number of sweeps of three levels, as few as possible, and of two; not for one."""
    threes = levels % 2
    return threes, (levels - 3 * threes) // 2


@helper
def levels_of(number, threes):
    """First level of a sweep, and how many it takes; `threes` sweeps take three."""
    first = 3 * min(number, threes) + 2 * max(number - threes, 0)
    return first, 3 if number < threes else 2


@helper
def numbered(step, steps, increasing):
    """Number of the sweep that is done at a step, or the step of a sweep."""
    return step if increasing else steps - 1 - step


@functools.cache
def forward_schedule(rows, inner):
    """All sweeps of a forward pass, from small strides to large."""
    if rows < 4:  # one sweep, see `butterfly_small`
        return (Sweep(0, count_levels(rows), inner),)
    threes, twos = forward_sweeps(rows)
    sweeps = [levels_of(number, threes) for number in range(threes + twos)]
    return tuple(Sweep(t, k, inner if t == 0 else 0) for t, k in sweeps)


@functools.cache
def gradient_schedule(inner, levels):
    """As `forward_schedule`; the layers within registers by themselves, if any."""
    threes, twos = gradient_sweeps(levels)
    sweeps = [levels_of(number, threes) for number in range(threes + twos)]
    within = (Sweep(0, 0, inner),) if inner else ()
    return within + tuple(Sweep(t, k, 0) for t, k in sweeps)
