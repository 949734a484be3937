"""Dense: the ordinary linear layer."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike

from ..._base.arguments import as_generator, as_real_dtype, as_size
from ..._plans.thin_matmul import product
from ..arguments import as_flag, as_matrix, as_optional_vector, check_finite, take
from .layer import Layer


class Dense(Layer):
    """Linear layer y = x @ weights + bias.

    Parameters
    ----------
    n_in, n_out : int
        Sizes.
    bias : bool
        Whether there is a bias.
    rng : Generator, int or None
        Source of randomness.
    dtype : dtype
        float32 or float64.

    Attributes
    ----------
    weights : array, shape (n_in, n_out)
    bias : array, shape (n_out,), or None

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    Weights and bias start uniform in +-1/sqrt(n_in), as in torch.nn.Linear. For inputs
    of mean square m that gives outputs of mean square m/3, besides the bias.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> layer = nn.Dense(784, 10, rng=0)
    >>> layer
    Dense(784, 10)
    >>> layer.n_weights
    7850
    """

    bias = None

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        rng: Generator | int | None = None,
        dtype: DTypeLike = np.float32,
    ):
        n_in, n_out = as_size("n_in", n_in), as_size("n_out", n_out)
        bias, dtype = as_flag("bias", bias), as_real_dtype(dtype)
        rng = as_generator(rng)
        bound = n_in**-0.5
        weights = rng.uniform(-bound, bound, (n_in, n_out))
        self._set(weights, rng.uniform(-bound, bound, n_out) if bias else None, dtype)

    @classmethod
    def from_arrays(
        cls,
        W: ArrayLike,
        bias: ArrayLike | None = None,
        *,
        dtype: DTypeLike | None = None,
    ) -> "Dense":
        """Start from given weights, which are copied.

        Parameters
        ----------
        W : array, shape (n_in, n_out)
            Real and finite.
        bias : array, shape (n_out,), optional
            None: no bias.
        dtype : dtype, optional
            float32 or float64; None: that of W, float64 for integers.

        Returns
        -------
        Dense

        Raises
        ------
        ValueError, TypeError
            If an argument is not as described.

        Examples
        --------
        >>> from fastbutterfly import nn
        >>> nn.Dense.from_arrays([[1.0], [2.0]], [0.5])([[1.0, 1.0]])
        array([[3.5]])
        """
        W, dtype = as_matrix("W", W, dtype)
        bias = as_optional_vector("bias", bias, W.shape[1])
        if bias is not None:
            check_finite("bias", bias[:, np.newaxis], dtype)
        return cls._from_arrays(W, bias, dtype)

    @classmethod
    def _from_arrays(cls, weights, bias, dtype):
        layer = cls.__new__(cls)
        layer._set(weights, bias, dtype)
        return layer

    def _set(self, weights, bias, dtype):
        self.n_in, self.n_out = weights.shape
        self.dtype = dtype
        self._own(weights=weights, **({} if bias is None else {"bias": bias}))
        self.n_weights = self.parameters.size

    def forward(self, x):
        """Return x @ weights + bias; x is saved."""
        y = product(x, self.weights)
        if self.bias is not None:
            y += self.bias
        return y, x

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Write x.T @ g and the sum of g; return g @ weights.T."""
        gradient = self._views(gparameters)
        product(saved.T, g, out=gradient["weights"])
        if self.bias is not None:
            np.add.reduce(g, axis=0, out=gradient["bias"])
        return product(g, self.weights.T) if input_gradient else None

    def _describe(self):
        return {
            "type": "Dense",
            "n_in": self.n_in,
            "n_out": self.n_out,
            "bias": self.bias is not None,
        }

    @classmethod
    def _restore(cls, description, reader):
        n_in = take("Dense", description, "n_in", int)
        n_out = take("Dense", description, "n_out", int)
        bias = take("Dense", description, "bias", bool)
        weights = reader.parameters(n_in, n_out)
        return cls._from_arrays(
            weights, reader.parameters(n_out) if bias else None, reader.dtype
        )

    def __repr__(self):
        tail = "" if self.bias is not None else ", bias=False"
        return f"Dense({self.n_in}, {self.n_out}{tail})"
