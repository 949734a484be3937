"""Integer steps: those of `export.steps` on int16 elements, with int8 or int16 weights.

A step sums products exactly, adds half of 2**shift, shifts right (so that halves are
rounded up) and saturates to int16. Weights are such that no sum overflows int32, or
int64 for `wide` steps, whatever the samples.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import steps as real

INT16_MAX = (1 << 15) - 1
INT32_MAX = (1 << 31) - 1


def saturate(x):
    """Clip to the range of int16; the dtype is kept."""
    return np.clip(x, -INT16_MAX - 1, INT16_MAX)


def round_shift(sums, shift):
    """Sums / 2**shift, rounded with halves up, and saturated."""
    return saturate(sums + (1 << shift >> 1) >> shift)


@dataclass(frozen=True)
class Matrix(real.Matrix):
    """y = W x / 2**shift."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: integer = round(real * scale)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return round_shift(x @ self.weights.astype(np.int64).T, self.shift)


@dataclass(frozen=True)
class Blocks(real.Blocks):
    """I_a (x) dense b x c (x) I_d, divided by 2**shift."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: integer = round(real * scale)

    def __call__(self, x):
        """Return the outputs for rows x."""
        exact = real.Blocks(self.weights.astype(np.int64))
        return round_shift(exact(x), self.shift)


@dataclass(frozen=True)
class Pairs(real.Pairs):
    """Listed 2 x 2 blocks, divided by 2**shift; other coordinates keep their values."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: integer = round(real * scale)

    def __call__(self, x):
        """Return the outputs for rows x."""
        index = np.concatenate([self.first, self.first + self.stride])
        weights = self.weights.astype(np.int64)
        exact = real.Pairs(weights, self.first, self.stride, self.n_in)
        y = x.copy()
        y[:, index] = round_shift(exact(x)[:, index], self.shift)
        return y


@dataclass(frozen=True)
class Bias(real.Bias):
    """y = x + values."""

    scale: NDArray  # of each value: integer = round(real * scale)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return saturate(x + self.values)


@dataclass(frozen=True)
class Scale(real.Bias):
    """y = x * values / 2**15."""

    def __call__(self, x):
        """Return the outputs for rows x."""
        return round_shift(x * self.values, 15)


@dataclass(frozen=True)
class ReLU(real.Activation):
    """y = max(x, 0)."""

    def __call__(self, x):
        """Return the outputs for rows x."""
        return np.maximum(x, 0)


def to_integers(x, scale):
    """Real samples as int16: x * scale in float32, rounded with halves away from zero.

    This is what the C function `to_integers` computes; NaN becomes 0.
    """
    with np.errstate(over="ignore"):
        scaled = np.asarray(x, np.float32) * np.float32(scale)
    limited = np.clip(np.nan_to_num(scaled, nan=0.0), -INT16_MAX - 1, INT16_MAX)
    whole = np.trunc(limited)
    fraction = limited - whole
    return (whole + (fraction >= 0.5) - (fraction <= -0.5)).astype(np.int16)


def pair_with(steps, sources):
    """Pairs of an integer step and the real step it comes from, None for a `Scale`."""
    sources = iter(sources)
    return [
        (step, None if isinstance(step, Scale) else next(sources)) for step in steps
    ]


def requantize(step, source, bits):
    """An integer step with the present weights of its real step; scales are kept.

    Weights beyond `bits` bits saturate. A step whose sums could overflow int32 with the
    new weights becomes `wide`.
    """
    if isinstance(step, Bias):
        values = saturate(np.rint(source.values * step.scale)).astype(np.int64)
        return replace(step, values=values)
    if not hasattr(step, "scale"):
        return step
    top = (1 << bits - 1) - 1
    w = np.clip(np.rint(source.weights * step.scale), -top, top).astype(np.int64)
    axis = -1 if w.ndim < 4 else 2  # along the terms of a row
    sums = np.abs(w).sum(axis=axis).max() * (INT16_MAX + 1) + (1 << step.shift >> 1)
    return replace(step, weights=w, wide=step.wide or bool(sums > INT32_MAX))
