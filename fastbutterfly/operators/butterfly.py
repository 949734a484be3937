"""Butterfly: a product of sparse layers of small blocks, as a frozen value.

Terms: a layer of stride s mixes coordinates i and i + s. Its pair p = j * s + k, with
0 <= k < s, is the coordinates i = 2 * s * j + k and i + s, and its block is a 2x2
matrix: (y[i], y[i + s]) = block @ (x[i], x[i + s]). Strides run 1, 2, ..., n/2
("increasing", the order of Ailon, Leibovich and Nair, 2021, Definition 4.1) or
n/2, ..., 2, 1 ("decreasing"). Other sizes have layers of larger blocks: a layer of
pattern (a, b, c, d) is I_a (x) dense b x c (x) I_d, see `Butterfly.from_blocks`.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .._base import arguments, memory
from .._plans import patterns
from .._plans.binary import BinaryPlan
from .._plans.blocks import BlockPlan
from .._plans.patterns import REVERSED
from .._plans.weight_cache import WeightCache
from . import algebra, initial
from .products import Products
from .sparse import sparse_factors


class Butterfly(Products):
    """Linear operator of shape (n_out, n_in) made of sparse layers.

    The constructor makes one of depth = log2(n) layers of 2x2 blocks; `random` draws
    one of any size, `from_blocks` takes layers of any patterns that fit.

    Parameters
    ----------
    weights : array, shape (depth, n/2, 2, 2), float32, float64, complex64 or complex128
        One 2x2 block for each pair of each layer, layers in order of application. Other
        real dtypes, and lists, become float64 (float16: float32). They are copied.
    stride : {"increasing", "decreasing"}
        Order of the strides: 1, 2, ..., n/2 or n/2, ..., 2, 1.
    inputs, outputs : array of int, optional
        Indices of the coordinates, among n, that the input fills (the others are zero)
        and that the output keeps, in order. None: all of them.

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
    >>> import numpy as np
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
        weights = arguments.as_numbers("weights", weights)
        dtype = arguments.common_dtype(np.float32, weights)
        weights = weights.astype(dtype, copy=False)
        shape = weights.shape
        n = 2 * shape[1] if len(shape) == 4 and shape[0] else 1
        if len(shape) != 4 or n != 1 << shape[0] or shape != (shape[0], n // 2, 2, 2):
            raise ValueError(
                "weights must have shape (depth, n/2, 2, 2) with n = 2**depth, "
                f"got {shape}"
            )
        arguments.as_choice("stride", stride, REVERSED)
        plan = BinaryPlan(
            n,
            stride=stride,
            inputs=arguments.as_index("inputs", inputs, n),
            outputs=arguments.as_index("outputs", outputs, n),
        )
        self._set(weights, plan)

    def _set(self, weights, plan):
        self._weights, self._plan = memory.immutable(weights), plan
        self._cache = WeightCache()
        return self

    @classmethod
    def _of(cls, weights, plan) -> Self:
        """A butterfly of this plan, with weights in its layout."""
        return cls.__new__(cls)._set(weights, plan)

    @classmethod
    def from_blocks(
        cls,
        blocks: Sequence[ArrayLike],
        pattern: Iterable[tuple[int, int, int, int]],
        *,
        inputs: ArrayLike | None = None,
        outputs: ArrayLike | None = None,
    ) -> Self:
        """Make a butterfly from layers of any patterns that fit.

        Parameters
        ----------
        blocks : sequence of arrays, shape (a * d, b, c) for the pattern (a, b, c, d)
            Blocks of each layer, in order of application. They are converted to their
            common dtype.
        pattern : iterable of (a, b, c, d)
            Layer I_a (x) dense b x c (x) I_d: block i * d + k maps the inputs (i, :, k)
            of an array (a, c, d) to the outputs (i, :, k) of an array (a, b, d).
        inputs, outputs : array of int, optional
            As for `Butterfly`.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError, TypeError
            If the shapes of neighbouring patterns do not fit, or a shape, dtype or
            index is not as described.

        Notes
        -----
        Kronecker-sparse layers (Le, Zheng, Riccietti and Gribonval, 2024, Definition
        3.1). What they can represent:

        - radices r1, r2, ...: (n/r1, r1, r1, 1), (n/(r1 r2), r2, r2, r1), ...: every
          output depends on every input along one path, as in an FFT of size n;
        - two layers, (a, b, b, 1), (1, a, a, b): a Monarch matrix, all of whose (a, b)
          blocks have rank one; with more inner coordinates, more;
        - (a, b, c, d) with b != c: layers that widen or narrow, for shapes that are not
          square;
        - (n, 1, 1, 1): a diagonal; (1, n, m, 1): a dense matrix.

        Examples
        --------
        >>> import numpy as np
        >>> import fastbutterfly as fb
        >>> blocks = [np.ones((2, 3, 3)), np.ones((3, 2, 2))]
        >>> B = fb.Butterfly.from_blocks(blocks, [(2, 3, 3, 1), (1, 2, 2, 3)])
        >>> B
        Butterfly(shape=(6, 6), dtype=float64, pattern=((2, 3, 3, 1), (1, 2, 2, 3)), \
n_weights=30)
        >>> B @ np.arange(6)
        array([15., 15., 15., 15., 15., 15.])
        """
        pattern = patterns.as_patterns(pattern)
        blocks = patterns.as_blocks(blocks, pattern)
        n_out, n_in = patterns.n_out(pattern[-1]), patterns.n_in(pattern[0])
        kept = {
            "inputs": arguments.as_index("inputs", inputs, n_in),
            "outputs": arguments.as_index("outputs", outputs, n_out),
        }
        depth, stride = len(pattern), patterns.stride_of(pattern)
        if pattern == patterns.mixed((2,) * depth, stride == "increasing"):
            return cls(np.stack(blocks), stride=stride, **kept)
        weights = np.concatenate([layer.ravel() for layer in blocks])
        return cls._of(weights, BlockPlan(pattern, **kept))

    @classmethod
    def random(
        cls,
        n: int,
        *,
        init: str = "orthogonal",
        stride: str = "increasing",
        radices: Iterable[int] | None = None,
        dtype: DTypeLike = np.float64,
        rng: Generator | int | None = None,
    ) -> "Butterfly":
        """Draw a square butterfly.

        Parameters
        ----------
        n : int
            Size, without a prime factor above 128.
        init : {"orthogonal", "gaussian", "fjlt", "identity"}
            "orthogonal": each block a rotation or a reflection by a uniform angle, or a
            random orthogonal matrix.
            "gaussian": entries N(0, 1/2), or N(0, 1/r) in blocks of r x r, which keep
            the expected squared norm.
            For complex dtypes, rows and columns of the orthogonal blocks get uniform
            phases, and the Gaussian entries are circular.
            "fjlt": H D, random signs D and the orthonormal Hadamard matrix H; blocks of
            r x r, r no power of two, are Hartley matrices.
            "identity": each block the identity.
        stride, dtype
            As for `Butterfly`.
        radices : iterable of int, optional
            Sizes of the blocks of each layer, from small strides to large; their
            product is n. None: twos for a power of two, else fours, at most one two,
            and the odd primes of n.
        rng : Generator, int or None
            Source of randomness.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError, TypeError
            If n has a prime factor above 128, radices do not fit, or an option is
            unknown.
        """
        n = arguments.as_size("n", n)
        make = arguments.as_choice("init", init, initial.INITS)
        arguments.as_choice("stride", stride, REVERSED)
        dtype = arguments.as_dtype(dtype)
        rng = arguments.as_generator(rng)
        radices = patterns.as_radices(radices, n)
        if set(radices) <= {2}:
            weights = make(n, len(radices), rng, dtype.kind == "c")
            return cls(weights.astype(dtype), stride=stride)
        pattern = patterns.mixed(radices, stride == "increasing")
        blocks = initial.draw(pattern, init, rng, dtype.kind == "c")
        return cls.from_blocks([layer.astype(dtype) for layer in blocks], pattern)

    @classmethod
    def from_angles(cls, angles: ArrayLike, *, stride: str = "increasing") -> Self:
        """Make an orthogonal butterfly: each block a rotation.

        Parameters
        ----------
        angles : array, shape (depth, n/2), float32 or float64
            Block [[cos t, -sin t], [sin t, cos t]] for each angle t, in radians.
        stride : {"increasing", "decreasing"}
            Order of the strides.

        Returns
        -------
        Butterfly

        Raises
        ------
        ValueError, TypeError
            If the shape or dtype is not as described.

        Examples
        --------
        >>> import numpy as np
        >>> import fastbutterfly as fb
        >>> B = fb.Butterfly.from_angles(np.linspace(0, 3, 12).reshape(3, 4))
        >>> B.orthogonality_bound() < 1e-15
        True
        """
        angles = arguments.as_reals("angles", angles)
        dtype = arguments.common_dtype(np.float32, angles)
        depth, pairs = angles.shape if angles.ndim == 2 else (-1, 0)
        if angles.shape != (0, 0) and (depth < 1 or 2 * pairs != 1 << depth):
            raise ValueError(
                "angles must have shape (depth, n/2) with n = 2**depth, "
                f"got {angles.shape}"
            )
        return cls(initial.rotation_blocks(angles, dtype), stride=stride)

    @property
    def plan(self) -> BinaryPlan | BlockPlan:
        """Sizes, pattern and coordinates, without the weights."""
        return self._plan

    @property
    def shape(self) -> tuple[int, int]:
        """(n_out, n_in)."""
        return self._plan.shape

    @property
    def depth(self) -> int:
        """Number of layers; log2(n) for blocks of 2x2."""
        return self._plan.depth

    @property
    def stride(self) -> str | None:
        """Order of the strides, "increasing" or "decreasing"; None for any other."""
        return self._plan.stride

    @property
    def inputs(self) -> NDArray[np.intp] | None:
        """Coordinates that the input fills; None for all, in order."""
        return self._plan.inputs

    @property
    def outputs(self) -> NDArray[np.intp] | None:
        """Coordinates that the output keeps; None for all, in order."""
        return self._plan.outputs

    @property
    def pattern(self) -> tuple[tuple[int, int, int, int], ...]:
        """Kronecker-sparse pattern (a, b, c, d) of each layer: I_a x (b x c) x I_d."""
        return self._plan.pattern

    @property
    def n_weights(self) -> int:
        """Number of effective weights: on a path from a used input to a kept output."""
        return self._plan.n_weights

    @property
    def n_stored(self) -> int:
        """Number of all weights; 2 n log2(n) for blocks of 2x2."""
        return self._plan.n_stored

    @property
    def dtype(self) -> np.dtype:
        """float32, float64, complex64 or complex128."""
        return self._weights.dtype

    @property
    def weights(self) -> NDArray:
        """All blocks, read-only: (depth, n/2, 2, 2), or flat for other patterns."""
        return self._weights

    @property
    def blocks(self) -> tuple[NDArray, ...]:
        """Blocks of each layer, shape (a * d, b, c) for its pattern (a, b, c, d)."""
        return self._plan.views(self._weights)

    @property
    def is_binary(self) -> bool:
        """Whether all blocks are 2x2 and the size is n = 2**depth."""
        return isinstance(self._plan, BinaryPlan)

    @cached_property
    def T(self) -> "Butterfly":
        """The transpose: layers in reverse, each block transposed."""
        return self._of(self._plan.transposed(self.weights), self._plan.T)

    @cached_property
    def H(self) -> "Butterfly":
        """The conjugate transpose; for real weights the transpose."""
        if self.dtype.kind != "c":
            return self.T
        return self._of(self.T.weights.conj(), self.T.plan)

    def factors(self) -> list:
        """Return the layers as scipy.sparse.csr_array, outermost factor first.

        Their product is ``to_dense()``.
        """
        return sparse_factors(self._plan, self.weights)

    def inv(self):
        """Return the inverse: the inverted blocks, layers in reverse.

        Returns
        -------
        Butterfly
            As a preconditioner ``M`` of SciPy's solvers, a butterfly that approximates
            a matrix is passed as its inverse.

        Raises
        ------
        LinAlgError
            If a block is singular, or its condition number is beyond 1 / eps; the
            message names the layer and the block.
        ValueError
            If the butterfly, or a block, is not square.

        Examples
        --------
        >>> import numpy as np
        >>> import fastbutterfly as fb
        >>> B = fb.Butterfly.random(12, rng=0)
        >>> bool(np.allclose(B.inv() @ (B @ np.arange(12)), np.arange(12)))
        True
        """
        return self._inverse

    def solve(self, y: ArrayLike) -> NDArray:
        """Return x with B x = y, for y of shape (n,) or (n, k).

        The inverse is made once; errors are those of `inv`.
        """
        return self._inverse @ y

    def slogdet(self) -> tuple:
        """Return sign and logarithm of the absolute value of the determinant.

        Returns
        -------
        sign, logabsdet : number, float
            det B = sign * exp(logabsdet), as `numpy.linalg.slogdet`; the sum over all
            blocks, and the sign of the orders of inputs and outputs.

        Raises
        ------
        ValueError
            If the butterfly, or a block, is not square.
        """
        return algebra.slogdet(self)

    def condition_bound(self) -> float:
        """Return an upper bound on the condition number in the 2-norm.

        The product over the layers of largest by smallest singular value of any block:
        at least 1, inf for a singular block, exact for one layer.

        Raises
        ------
        ValueError
            If the butterfly, or a block, is not square.
        """
        return algebra.condition_bound(self)

    def orthogonality_bound(self) -> float:
        """Return an upper bound on the 2-norm of B^H B - I.

        The product over the layers of 1 + max |s^2 - 1|, less 1, with the singular
        values s of all blocks; up to rounding zero if all blocks are orthogonal.

        Raises
        ------
        ValueError
            If the butterfly, or a block, is not square.
        """
        return algebra.orthogonality_bound(self)

    def diagonal(self) -> NDArray:
        """Return the diagonal, shape (n,).

        O(n log n) for butterflies, where one path leads from each input to each output;
        for other chains of layers the matrix is applied to the identity, in pieces.

        Raises
        ------
        ValueError
            If the butterfly is not square.
        """
        return algebra.diagonal(self)

    def trace(self):
        """Return the sum of `diagonal`."""
        return self.diagonal().sum()

    @cached_property
    def _inverse(self):
        return self._of(algebra.inverse_weights(self), self._plan.T)

    def __repr__(self) -> str:
        layers = (
            f"stride={self.stride!r}" if self.is_binary else f"pattern={self.pattern}"
        )
        return (
            f"Butterfly(shape={self.shape}, dtype={self.dtype}, "
            f"{layers}, n_weights={self.n_weights})"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Butterfly):
            return NotImplemented
        return self._key() == other._key() and np.array_equal(
            self.weights, other.weights
        )

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self):
        kept = (None if k is None else k.tobytes() for k in (self.inputs, self.outputs))
        return (self._plan.sizes, self.pattern, self.dtype, *kept)

    def __reduce__(self):
        options = {"inputs": self.inputs, "outputs": self.outputs}
        if self.is_binary:
            return partial(type(self), stride=self.stride, **options), (self.weights,)
        return partial(type(self).from_blocks, **options), (self.blocks, self.pattern)
