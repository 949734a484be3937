"""Integer steps: as those of `_steps`, on int16 numbers, with int8 or int16 weights.

A step sums products exactly, adds half of 2**shift, shifts right (so halves go up) and
saturates to int16. Weights are such that no sum leaves int32 (`wide`: int64), whatever
the samples.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import steps as step

LARGEST = (1 << 15) - 1
ACCUMULATOR = (1 << 31) - 1


def saturated(x):
    """Numbers as int16 holds them, in int64."""
    return np.clip(x, -LARGEST - 1, LARGEST)


def shifted(sums, shift):
    """Sums divided by 2**shift, rounded and saturated."""
    return saturated(sums + (1 << shift >> 1) >> shift)


@dataclass(frozen=True)
class Matrix(step.Matrix):
    """y = W x / 2**shift."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: the integer is the real one times this

    def __call__(self, x):
        """Return the outputs for rows x."""
        return shifted(x @ self.weights.astype(np.int64).T, self.shift)


@dataclass(frozen=True)
class Blocks(step.Blocks):
    """I_a (x) dense b x c (x) I_d, divided by 2**shift."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: the integer is the real one times this

    def __call__(self, x):
        """Return the outputs for rows x."""
        exact = step.Blocks(self.weights.astype(np.int64))
        return shifted(exact(x), self.shift)


@dataclass(frozen=True)
class Pairs(step.Pairs):
    """Some blocks 2 x 2, divided by 2**shift; other coordinates are kept."""

    shift: int
    wide: bool
    scale: NDArray  # of each weight: the integer is the real one times this

    def __call__(self, x):
        """Return the outputs for rows x."""
        ends = np.concatenate([self.first, self.first + self.apart])
        pairs = self.weights.astype(np.int64), self.first, self.apart, self.n_in
        y = x.copy()
        y[:, ends] = shifted(step.Pairs(*pairs)(x)[:, ends], self.shift)
        return y


@dataclass(frozen=True)
class Bias(step.Bias):
    """y = x + values."""

    scale: NDArray

    def __call__(self, x):
        """Return the outputs for rows x."""
        return saturated(x + self.values)


@dataclass(frozen=True)
class Scale(step.Bias):
    """y = x * values / 2**15."""

    def __call__(self, x):
        """Return the outputs for rows x."""
        return shifted(x * self.values, 15)


@dataclass(frozen=True)
class ReLU(step.Activation):
    """y = max(x, 0)."""

    def __call__(self, x):
        """Return the outputs for rows x."""
        return np.maximum(x, 0)


def to_integers(x, scale):
    """Real samples as int16: x * scale in float32, halves away from zero."""
    with np.errstate(over="ignore"):
        scaled = np.asarray(x, np.float32) * np.float32(scale)
    limited = np.clip(np.nan_to_num(scaled, nan=0.0), -LARGEST - 1, LARGEST)
    whole = np.trunc(limited)
    rest = limited - whole
    return (whole + (rest >= 0.5) - (rest <= -0.5)).astype(np.int16)


def paired(steps, others):
    """Integer steps, and beside each the one that it was made of, None for a scale."""
    others = iter(others)
    return [(one, None if isinstance(one, Scale) else next(others)) for one in steps]


def updated(one, real, bits):
    """A step with the numbers that `real`, the step it was made of, has by now."""
    if isinstance(one, Bias):
        values = saturated(np.rint(real.values * one.scale)).astype(np.int64)
        return replace(one, values=values)
    if not hasattr(one, "scale"):
        return one
    top = (1 << bits - 1) - 1
    w = np.clip(np.rint(real.weights * one.scale), -top, top).astype(np.int64)
    axis = -1 if w.ndim < 4 else 2  # along the terms of a row
    sums = np.abs(w).sum(axis=axis).max() * (LARGEST + 1) + (1 << one.shift >> 1)
    return replace(one, weights=w, wide=one.wide or bool(sums > ACCUMULATOR))
