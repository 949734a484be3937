"""Butterfly: a product of log2(n) sparse layers of 2x2 blocks, as a frozen value.

Words: a layer of stride s mixes coordinates i and i + s. Its pair p = j * s + k, with
0 <= k < s, is the coordinates i = 2 * s * j + k and i + s, and its block is a 2x2
matrix: (y[i], y[i + s]) = block @ (x[i], x[i + s]). Strides run 1, 2, ..., n/2
("increasing", the order of Ailon, Leibovich and Nair, 2021, Definition 4.1) or
n/2, ..., 2, 1 ("decreasing").
"""

from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike

from . import _arrays
from ._factors import sparse_factors
from ._initial import INITS
from ._plan import Plan
from ._products import Products
from ._structure import Structure

REVERSED = {"increasing": "decreasing", "decreasing": "increasing"}


class Butterfly(Structure, Products):
    """Linear operator of shape (n_out, n_in) made of depth = log2(n) layers.

    Parameters
    ----------
    weights : array, shape (depth, n/2, 2, 2), float32, float64, complex64 or complex128
        One 2x2 block for each pair of each layer, the layer applied first first. Other
        real dtypes, and lists, become float64. They are copied.
    stride : {"increasing", "decreasing"}
        Order of the strides: 1, 2, ..., n/2 or n/2, ..., 2, 1.
    inputs, outputs : array of int, optional
        Which of the n coordinates the input fills (the others are zero) and the output
        keeps, in order. None: all of them.

    Raises
    ------
    ValueError, TypeError
        If a shape, dtype, option or index is not as described.

    Notes
    -----
    B = S_out M_depth ... M_2 M_1 S_in^T, where layer M_l has 2n weights. Three ways to
    apply it to many vectors:

    - ``B.apply(X)``: X (batch, n_in) -> (batch, n_out), samples as rows, the fast path;
    - ``B @ X``: X (n_in, batch) -> (n_out, batch), as matrices multiply;
    - ``X @ B``: X (batch, n_out) -> (batch, n_in), X times the matrix.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> B = fb.Butterfly.random(8, rng=0)
    >>> B
    Butterfly(shape=(8, 8), dtype=float64, stride='increasing', n_weights=48)
    >>> bool(np.allclose(B @ np.arange(8), B.to_dense() @ np.arange(8)))
    True
    """

    def __init__(
        self,
        weights: ArrayLike,
        *,
        stride: str = "increasing",
        inputs: ArrayLike | None = None,
        outputs: ArrayLike | None = None,
    ):
        weights = _arrays.as_numbers("weights", weights)
        dtype = _arrays.common_dtype(np.float32, weights)
        weights = weights.astype(dtype, copy=False)
        shape = weights.shape
        n = 2 * shape[1] if len(shape) == 4 and shape[0] else 1
        if len(shape) != 4 or n != 1 << shape[0] or shape != (shape[0], n // 2, 2, 2):
            raise ValueError(
                "weights must have shape (depth, n/2, 2, 2) with n = 2**depth, "
                f"got {shape}"
            )
        weights = _arrays.immutable(weights)
        _arrays.as_choice("stride", stride, REVERSED)
        self._weights = weights
        self._plan = Plan(
            n,
            stride=stride,
            inputs=_arrays.as_index("inputs", inputs, n),
            outputs=_arrays.as_index("outputs", outputs, n),
        )
        self._packs = {}  # weights as the kernels read them

    @classmethod
    def random(
        cls,
        n: int,
        *,
        init: str = "orthogonal",
        stride: str = "increasing",
        dtype: DTypeLike = np.float64,
        rng: Generator | int | None = None,
    ) -> "Butterfly":
        """Draw a square butterfly.

        Parameters
        ----------
        n : int
            Size, a power of two.
        init : {"orthogonal", "gaussian", "fjlt", "identity"}
            "orthogonal": each block a rotation or a reflection by a uniform angle.
            "gaussian": entries N(0, 1/2), which keep the expected squared length.
            For complex dtypes, rows and columns of the orthogonal blocks get uniform
            phases, and the Gaussian entries are circular.
            "fjlt": H D, random signs D and the orthonormal Hadamard matrix H.
            "identity": each block the identity.
        stride, dtype
            As for `Butterfly`.
        rng : Generator, int or None
            Source of randomness.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError, TypeError
            If n is no power of two or an option is unknown.
        """
        n = _arrays.as_power_of_two("n", n)
        draw = _arrays.as_choice("init", init, INITS)
        dtype = _arrays.as_dtype(dtype)
        rng = _arrays.as_generator(rng)
        weights = draw(n, n.bit_length() - 1, rng, dtype.kind == "c")
        return cls(weights.astype(dtype), stride=stride)

    @cached_property
    def T(self) -> "Butterfly":
        """The transpose: layers in reverse, each block transposed."""
        return Butterfly(
            self.weights[::-1].swapaxes(-1, -2),
            stride=REVERSED[self.stride],
            inputs=self.outputs,
            outputs=self.inputs,
        )

    @cached_property
    def H(self) -> "Butterfly":
        """The conjugate transpose; for real weights the transpose."""
        if self.dtype.kind != "c":
            return self.T
        return Butterfly(
            self.T.weights.conj(),
            stride=self.T.stride,
            inputs=self.outputs,
            outputs=self.inputs,
        )

    def factors(self) -> list:
        """Return the layers as scipy.sparse.csr_array, the one applied last first.

        Their product is ``to_dense()``.
        """
        return sparse_factors(self._plan, self.weights)
