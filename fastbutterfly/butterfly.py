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
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _arrays
from ._factors import sparse_factors
from ._initial import INITS
from ._operator import Operator
from ._plan import Plan
from ._structure import Structure
from ._threads import as_workers

REVERSED = {"increasing": "decreasing", "decreasing": "increasing"}


class Butterfly(Structure, Operator):
    """Linear operator of shape (n_out, n_in) made of depth = log2(n) layers.

    Parameters
    ----------
    weights : array, shape (depth, n/2, 2, 2), float32 or float64
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
        self._packs = {}  # dtype -> weights as the kernels read them

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
            "fjlt": H D, random signs D and the orthonormal Hadamard matrix H.
            "identity": each block the identity.
        stride, dtype
            As for `Butterfly`; dtype float32 or float64.
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
        weights = draw(n, n.bit_length() - 1, _arrays.as_generator(rng))
        return cls(weights.astype(dtype), stride=stride)

    def apply(
        self,
        x: ArrayLike,
        *,
        axis: int = -1,
        out: NDArray | None = None,
        workers: int | None = None,
    ) -> NDArray:
        """Apply the butterfly along an axis.

        Parameters
        ----------
        x : array, n_in elements along `axis`
            Any real dtype, any order; it is not modified.
        axis : int
            Axis of x that holds the coordinates.
        out : array, optional
            Where to write the result; its shape and dtype must fit. May be x itself.
        workers : int, optional
            Number of threads; None: one for small arrays, else one for each CPU.

        Returns
        -------
        array, the shape of x with n_out along `axis`
            Of dtype ``np.result_type(B.dtype, x.dtype)``; integers count as float64.

        Raises
        ------
        ValueError, TypeError
            If a shape, dtype or option is not as described.

        Examples
        --------
        >>> import fastbutterfly as fb
        >>> fb.Butterfly.random(8, rng=0).apply(np.ones((3, 8, 2)), axis=1).shape
        (3, 8, 2)
        """
        plain = _arrays.is_plain(x, self._weights.dtype, 2, self._plan.shape[1])
        if plain and axis == -1 and out is None:
            workers = as_workers(workers)
            return self._plan.apply(self._packed(x.dtype), x, workers=workers)
        x = _arrays.as_numbers("x", x)
        dtype = _arrays.common_dtype(self.dtype, x)
        moved = _arrays.to_samples("x", x, axis, self.shape[1])
        shape = (*moved.shape[:-1], self.shape[0])
        if out is not None:
            place = list(x.shape)
            place[axis] = self.shape[0]
            _arrays.check_out(out, tuple(place), dtype)
        rows, packed = _arrays.to_rows(moved, dtype), self._packed(dtype)
        target = None if out is None else _arrays.as_target(out, rows, shape, axis)
        options = {"out": target, "workers": as_workers(workers)}
        y = self._plan.apply(packed, rows, **options)
        y = _arrays.from_samples(y.reshape(shape), axis)
        if out is None:
            return y
        if target is None:
            out[...] = y
        return out

    def vjp(
        self,
        x: ArrayLike,
        g: ArrayLike,
        *,
        axis: int = -1,
        workers: int | None = None,
    ) -> tuple[NDArray, NDArray]:
        """Gradients of <g, B x> with respect to x and to the weights.

        Parameters
        ----------
        x : array, n_in elements along `axis`
            The input of `apply`.
        g : array, the shape of ``apply(x)``
            Gradient of a loss with respect to that output.
        axis, workers
            As for `apply`.

        Returns
        -------
        gx : array, the shape of x
            B^H applied to g.
        gweights : array, shape (depth, n/2, 2, 2)
            gweights[l, p, o, c] = sum over samples of g_o * conj(x_c), with x the input
            and g the gradient of the output of layer l at pair p.

        Raises
        ------
        ValueError, TypeError
            If a shape, dtype or option is not as described.

        Examples
        --------
        >>> import fastbutterfly as fb
        >>> B = fb.Butterfly.random(8, rng=0)
        >>> gx, gweights = B.vjp(np.ones((5, 8)), np.ones((5, 8)))
        >>> gx.shape, gweights.shape
        ((5, 8), (3, 4, 2, 2))
        """
        x, g = _arrays.as_numbers("x", x), _arrays.as_numbers("g", g)
        dtype = _arrays.common_dtype(self.dtype, x, g)
        x_moved = _arrays.to_samples("x", x, axis, self.shape[1])
        g_moved = _arrays.to_samples("g", g, axis, self.shape[0])
        if g_moved.shape[:-1] != x_moved.shape[:-1]:
            raise ValueError(
                "g must have the shape of apply(x), "
                f"got g of shape {g.shape} for x of shape {x.shape}"
            )
        gx, gweights = self._plan.vjp(
            self._packed(dtype, gradient=True),
            _arrays.to_rows(x_moved, dtype),
            _arrays.to_rows(g_moved, dtype),
            workers=as_workers(workers),
        )
        gx = _arrays.from_samples(gx.reshape(x_moved.shape), axis)
        return gx, gweights.reshape(self.weights.shape)

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """B @ x for x of shape (n_in,) or (n_in, k)."""
        if _arrays.is_plain(x, self._weights.dtype, 1, self._plan.shape[1]):
            return self._one(x)
        return super().__matmul__(x)

    dot = matvec = matmat = __matmul__

    @cached_property
    def _one(self):
        return self._plan.one(self._packed(self.dtype))

    @cached_property
    def T(self) -> "Butterfly":
        """The transpose: layers in reverse, each block transposed."""
        return Butterfly(
            self.weights[::-1].swapaxes(-1, -2),
            stride=REVERSED[self.stride],
            inputs=self.outputs,
            outputs=self.inputs,
        )

    @property
    def H(self) -> "Butterfly":
        """The conjugate transpose; for real weights the transpose."""
        return self.T

    def factors(self) -> list:
        """Return the layers as scipy.sparse.csr_array, the one applied last first.

        Their product is ``to_dense()``.
        """
        return sparse_factors(self._plan, self.weights)

    def _packed(self, dtype, gradient=False):
        """Weights of this dtype as the kernels read them, made once."""
        packed = self._packs.get((dtype, gradient))
        if packed is None:
            flat = self.weights.reshape(-1).astype(dtype, copy=False)
            packed = self._plan.pack(flat, gradient=gradient)
            self._packs[dtype, gradient] = packed
        return packed
