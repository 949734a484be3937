"""Shape: how the layers of a butterfly are divided, for kernels and for packing.

A row is a register of a sample; of R rows there are log2(R) levels, level t mixing rows
that are 2**t apart. Levels are worked off in sweeps, the small strides three levels at
a time, the large ones two.
"""

from .._jit.options import helper


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
