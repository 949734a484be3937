"""Steps: what a network does to one sample, in the words of the exported formats.

A step takes the sizes `n_in`, `n_out` numbers a sample; called with samples
(batch, n_in), it computes them with NumPy, which is what exported code is compared
with. `arrays` are the numbers it needs, `products` its multiply-adds.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .. import nn


@dataclass(frozen=True)
class Mark:
    """y = x: the steps of a layer begin."""

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
    """I_a (x) dense b x c (x) I_d: weights (a, b, c, d) of any blocks."""

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
    """Some blocks 2 x 2 alone: coordinates first[p] and first[p] + apart are mixed.

    What no block writes keeps its value; later steps do not read it.
    """

    weights: NDArray  # (pairs, 2, 2)
    first: NDArray
    apart: int
    n_in: int

    n_out = property(lambda self: self.n_in)
    products = property(lambda self: self.weights.size)

    def __call__(self, x):
        """Return the outputs for rows x."""
        y, ends = x.copy(), (self.first, self.first + self.apart)
        for row, end in enumerate(ends):
            y[:, end] = sum(self.weights[:, row, k] * x[:, ends[k]] for k in (0, 1))
        return y


@dataclass(frozen=True)
class Spread:
    """y[index[i]] = x[i], zeros elsewhere."""

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
    """y[i] = x[index[i]]."""

    index: NDArray
    n_in: int
    products = 0

    n_out = property(lambda self: len(self.index))

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x[:, self.index]


@dataclass(frozen=True)
class Transpose:
    """x as a matrix (rows, columns), transposed."""

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
    """y = f(x), number by number; f by the name of its layer."""

    name: str
    n_in: int
    products = 0

    n_out = property(lambda self: self.n_in)

    def __call__(self, x):
        """Return the outputs for rows x."""
        return getattr(nn, self.name)()(x)


@dataclass(frozen=True)
class Norm:
    """y = scale (x - mean) / sqrt(variance + eps) + shift."""

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
class Added:
    """y = x + f(x), f made of steps, of none if it is the identity."""

    steps: tuple
    n_in: int

    n_out = property(lambda self: self.n_in)
    products = property(lambda self: sum(step.products for step in self.steps))

    def __call__(self, x):
        """Return the outputs for rows x."""
        return x + run(self.steps, x)


@dataclass(frozen=True)
class Everywhere:
    """f at each position of x (channels, positions), f made of steps, at least one."""

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
        y = run(self.steps, rows.reshape(-1, self.steps[0].n_in))
        y = y.reshape(len(x), self.positions, -1).swapaxes(1, 2)
        return y.reshape(len(x), self.n_out)


def run(steps, x):
    """Samples (batch, n_in) through all steps."""
    for step in steps:
        x = step(x)
    return x


def converted(steps, dtype):
    """The same steps, with their real numbers in a dtype."""
    return tuple(
        replace(one, **{key: _converted(v, dtype) for key, v in vars(one).items()})
        for one in steps
    )


def _converted(value, dtype):
    if isinstance(value, tuple):
        return converted(value, dtype)
    real = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(dtype, copy=False) if real else value
