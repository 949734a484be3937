"""Steps: the operations on one sample that networks are lowered to before export.

A step maps `n_in` elements of a sample to `n_out` and takes `products` multiply-adds.
Called with samples (batch, n_in), it returns (batch, n_out), computed with NumPy: the
reference for exported code. All steps are immutable.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import nn


@dataclass(frozen=True)
class LayerStart:
    """y = x: the steps of a layer follow; exported code names it in a comment.

    `layer` is its repr.
    """

    layer: str
    n_in: int
    products = 0

    n_out = property(lambda self: self.n_in)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x


@dataclass(frozen=True)
class Matrix:
    """y = W x, W (n_out, n_in)."""

    weights: NDArray

    n_in = property(lambda self: self.weights.shape[1])
    n_out = property(lambda self: self.weights.shape[0])
    products = property(lambda self: self.weights.size)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x @ self.weights.T


@dataclass(frozen=True)
class Blocks:
    """A layer I_a (x) dense b x c (x) I_d, with weights (a, b, c, d).

    y[i, r, k] = sum over s of weights[i, r, s, k] x[i, s, k], for x as (a, c, d) and
    y as (a, b, d).
    """

    weights: NDArray

    n_in = property(lambda self: self._size(2))
    n_out = property(lambda self: self._size(1))
    products = property(lambda self: self.weights.size)

    def _size(self, axis):
        a, *_, d = self.weights.shape
        return a * self.weights.shape[axis] * d

    def __call__(self, x):
        """Return the outputs for rows x."""
        a, _, c, d = self.weights.shape
        y = np.einsum("abcd,xacd->xabd", self.weights, x.reshape(len(x), a, c, d))
        return y.reshape(len(x), self.n_out)


@dataclass(frozen=True)
class Pairs:
    """Listed 2 x 2 blocks: block p mixes coordinates first[p] and first[p] + stride.

    Other coordinates keep their values; no later step reads them.
    """

    weights: NDArray  # (pairs, 2, 2)
    first: NDArray
    stride: int
    n_in: int

    n_out = property(lambda self: self.n_in)
    products = property(lambda self: self.weights.size)

    def __call__(self, x):
        """Return the outputs for rows x."""
        y, index = x.copy(), (self.first, self.first + self.stride)
        for row, target in enumerate(index):
            y[:, target] = sum(self.weights[:, row, k] * x[:, index[k]] for k in (0, 1))
        return y


@dataclass(frozen=True)
class Spread:
    """Scatter: y[index[i]] = x[i], zeros elsewhere."""

    index: NDArray
    n_out: int
    products = 0

    n_in = property(lambda self: len(self.index))

    def __call__(self, x):
        """Return the outputs for rows x."""
        y = np.zeros((len(x), self.n_out), x.dtype)
        y[:, self.index] = x
        return y


@dataclass(frozen=True)
class Pick:
    """Gather: y[i] = x[index[i]]."""

    index: NDArray
    n_in: int
    products = 0

    n_out = property(lambda self: len(self.index))

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x[:, self.index]


@dataclass(frozen=True)
class Transpose:
    """The transpose of x as a matrix (rows, columns)."""

    rows: int
    columns: int
    products = 0

    n_in = property(lambda self: self.rows * self.columns)
    n_out = n_in

    def __call__(self, x):
        """Return the outputs for rows x."""
        y = x.reshape(len(x), self.rows, self.columns).swapaxes(1, 2)
        return y.reshape(x.shape)


@dataclass(frozen=True)
class Bias:
    """y = x + values."""

    values: NDArray
    products = 0

    n_in = n_out = property(lambda self: len(self.values))

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x + self.values


@dataclass(frozen=True)
class Activation:
    """y = f(x) for each element; `name` is the class of `nn` that computes f."""

    name: str
    n_in: int
    products = 0

    n_out = property(lambda self: self.n_in)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return getattr(nn, self.name)()(x)


@dataclass(frozen=True)
class Norm:
    """y = scale (x - mean) / sqrt(variance + eps) + shift, over a sample's elements."""

    scale: NDArray
    shift: NDArray
    eps: float

    n_in = n_out = property(lambda self: len(self.scale))
    products = property(lambda self: 3 * len(self.scale))

    def __call__(self, x):
        """Return the outputs for rows x."""
        z = x - x.mean(axis=1, keepdims=True)
        z /= np.sqrt(np.mean(z * z, axis=1, keepdims=True) + self.eps)
        return z * self.scale + self.shift


@dataclass(frozen=True)
class ResidualStep:
    """y = x + f(x), where f applies `steps`; without steps it is the identity."""

    steps: tuple
    n_in: int

    n_out = property(lambda self: self.n_in)
    products = property(lambda self: sum(step.products for step in self.steps))

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x + apply_steps(self.steps, x)


@dataclass(frozen=True)
class PointwiseStep:
    """f at each position of x (channels, positions); f applies one or more `steps`."""

    steps: tuple
    positions: int

    n_in = property(lambda self: self.steps[0].n_in * self.positions)
    n_out = property(lambda self: self.steps[-1].n_out * self.positions)
    products = property(
        lambda self: self.positions * sum(step.products for step in self.steps)
    )

    def __call__(self, x):
        """Return the outputs for rows x."""
        rows = x.reshape(len(x), -1, self.positions).swapaxes(1, 2)
        y = apply_steps(self.steps, rows.reshape(-1, self.steps[0].n_in))
        y = y.reshape(len(x), self.positions, -1).swapaxes(1, 2)
        return y.reshape(len(x), self.n_out)


def apply_steps(steps, x):
    """Apply steps in order to samples (batch, n_in)."""
    for step in steps:
        x = step(x)
    return x


def cast(steps, dtype):
    """The same steps with their floating-point arrays in a dtype."""
    return tuple(
        replace(step, **{key: _cast(value, dtype) for key, value in vars(step).items()})
        for step in steps
    )


def _cast(value, dtype):
    if isinstance(value, tuple):  # the steps inside a step
        return cast(value, dtype)
    real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(dtype, copy=False) if real else value


def map_nested(function, step):
    """The step with `function`, a map of lists of steps, applied to those inside it."""
    if not hasattr(step, "steps"):
        return step
    return replace(step, steps=tuple(function(step.steps)))
