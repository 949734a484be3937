"""EncoderDecoder: the encoder-decoder network whose encoder begins with a butterfly."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..._base.arguments import as_choice, as_generator, as_real_dtype, as_size, dense
from ...approximation.reduced_rank import ReducedRank, reduced_rank
from ...operators.initial import INITS
from ..arguments import as_batch, check_data
from ..losses import MSE
from .butterfly_linear import ButterflyLinear, draw
from .dense import Dense
from .sequential import Sequential


class EncoderDecoder(Sequential):
    """Linear network Y = D E B X of rank k, with a truncated butterfly B.

    Parameters
    ----------
    n_in, n_out : int
        Sizes; the same, with Y = X, for an autoencoder.
    k : int
        Size of the code, the rank of the map.
    l : int
        Outputs of the butterfly, from k to n_in.
    rng : Generator, int or None
        Source of randomness.
    dtype : dtype
        float32 or float64.
    init : {"fjlt", "orthogonal", "gaussian", "identity"}
        Distribution of B, see `fastbutterfly.Butterfly.random`.

    Attributes
    ----------
    layers : tuple of Layer
        B as a `ButterflyLinear` (n_in, l), E as a `Dense` (l, k) and D as a `Dense`
        (k, n_out), all without a bias.

    Raises
    ------
    ValueError, TypeError
        If a size or an option is not as described.

    Notes
    -----
    Ailon, Leibovich and Nair (2021), Section 5: the encoder has k l + 2 n log2(l) + 6 n
    weights at most instead of k n. For l = k log2(k) + k / eps, k >= 2, and B as it
    starts, `solve` is within a factor 1 + eps of the best map of rank k with
    probability 1/2 or more, up to constants (Proposition 2; Sarlos, 2006). Samples are
    rows here, columns in the paper.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> net = nn.EncoderDecoder(1024, 1024, k=32, l=192, rng=0)
    >>> net.encode([[1.0] * 1024]).shape
    (1, 32)
    >>> sum(layer.n_weights for layer in net.layers[:2])  # a dense one has 32768
    22168
    """

    _kinds = ButterflyLinear, Dense, Dense

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        k: int,
        l: int,
        rng: Generator | int | None = None,
        dtype: DTypeLike = np.float32,
        init: str = "fjlt",
    ):
        n_in, n_out = as_size("n_in", n_in), as_size("n_out", n_out)
        k, count = as_size("k", k), as_size("l", l)
        if not k <= count <= n_in:
            raise ValueError(f"l must be from k to n_in, {k} ... {n_in}, got {count}")
        if k > n_out:
            raise ValueError(f"k must be at most n_out = {n_out}, got {k}")
        as_choice("init", init, INITS)
        dtype, rng = as_real_dtype(dtype), as_generator(rng)
        B = draw(n_in, count, init, rng)
        self._set(
            (
                ButterflyLinear.from_operator(B, dtype=dtype),
                Dense(count, k, bias=False, rng=rng, dtype=dtype),
                Dense(k, n_out, bias=False, rng=rng, dtype=dtype),
            )
        )

    def encode(self, X: ArrayLike) -> NDArray:
        """Return the codes E B x of samples (rows, n_in), (rows, k)."""
        return self.layers[1](self.layers[0](X))

    def decode(self, codes: ArrayLike) -> NDArray:
        """Return the outputs D c for codes c (rows, k), (rows, n_out)."""
        return self.layers[2](codes)

    def solve(self, X: ArrayLike, Y: ArrayLike | None = None) -> ReducedRank:
        """Set E and D to the best for B as it is, in closed form.

        Parameters
        ----------
        X : array, shape (samples, n_in)
            Real and finite; a sparse matrix of SciPy becomes dense.
        Y : array, shape (samples, n_out), optional
            None: X.

        Returns
        -------
        ReducedRank
            With the loss |D E B X - Y|^2, see `fastbutterfly.reduced_rank`.

        Raises
        ------
        ValueError, TypeError
            If an argument is not as described; the network is then unchanged.

        Examples
        --------
        >>> from fastbutterfly import nn
        >>> X = np.outer(np.arange(20.0), np.ones(8))
        >>> net = nn.EncoderDecoder(8, 8, k=1, l=2, rng=0)
        >>> bool(net.solve(X).loss < 1e-6)
        True
        """
        x, y = self._data(X, Y)
        A = self.layers[0](x).astype(np.float64)
        best = reduced_rank(A, y, self.layers[1].n_out)
        self.layers[1].weights[...] = best.E
        self.layers[2].weights[...] = best.D
        return best

    def _data(self, X, Y):
        """Samples in the network's dtype, and targets in double precision."""
        X = dense(X)
        x, y = check_data("X", X, "Y", X if Y is None else Y, self, MSE())
        return as_batch(x, self.dtype), as_batch(y, np.float64)

    def __repr__(self):
        first, core, _ = self.layers
        return (
            f"EncoderDecoder({self.n_in}, {self.n_out}, k={core.n_out}, "
            f"l={first.n_out})"
        )
