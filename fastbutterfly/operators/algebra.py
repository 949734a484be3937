"""Algebra of square butterflies: inverse, determinant, diagonal, bounds; O(n log n)."""

from functools import cached_property

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import ArrayLike, NDArray

from .._plans import patterns


class Algebra:
    """Base of a frozen value with a plan and weights: what square ones can do."""

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

    @cached_property
    def _inverse(self):
        self._require_square()
        inverted = []
        for k, blocks in enumerate(self.blocks):
            _check_invertible(blocks, k)
            inverted.append(_inverses(blocks))
        plan = self._plan.T
        flat = [blocks.swapaxes(1, 2).reshape(-1) for blocks in inverted]
        weights = np.concatenate([*flat, np.empty(0, self.dtype)])
        weights = self._plan.transposed(weights.reshape(self.weights.shape))
        return self._of(weights, plan)

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
        self._require_square()
        sign = self.dtype.type(_parity(self.inputs) * _parity(self.outputs))
        logabsdet = np.zeros((), self.dtype).real
        for blocks in self.blocks:
            signs, logs = np.linalg.slogdet(blocks)
            sign, logabsdet = sign * signs.prod(), logabsdet + logs.sum()
        return sign, logabsdet

    def condition_bound(self) -> float:
        """Return an upper bound on the condition number in the 2-norm.

        The product over the layers of largest by smallest singular value of any block:
        at least 1, inf for a singular block, exact for one layer.

        Raises
        ------
        ValueError
            If the butterfly, or a block, is not square.
        """
        self._require_square()
        bound = 1.0
        for blocks in self.blocks:
            values = _singular_values(blocks)
            largest, smallest = float(values.max()), float(values.min())
            bound *= largest / smallest if smallest else np.inf
        return bound

    def orthogonality_bound(self) -> float:
        """Return an upper bound on the 2-norm of B^H B - I.

        The product over the layers of 1 + max |s^2 - 1|, less 1, with the singular
        values s of all blocks; up to rounding zero if all blocks are orthogonal.

        Raises
        ------
        ValueError
            If the butterfly, or a block, is not square.
        """
        self._require_square()
        logs = [
            np.log1p(np.abs(_singular_values(blocks) ** 2 - 1).max())
            for blocks in self.blocks
        ]
        return float(np.expm1(np.sum(logs)))

    def diagonal(self) -> NDArray:
        """Return the diagonal, shape (n,).

        O(n log n) for butterflies, where one path leads from each input to each output;
        for other chains of layers the matrix is applied to the identity, in pieces.

        Raises
        ------
        ValueError
            If the butterfly is not square.
        """
        n_out, n_in = self.shape
        if n_out != n_in:
            raise ValueError(f"diagonal needs a square butterfly, got {self.shape}")
        if not _has_one_path(self.pattern):
            return _diagonal_of_products(self)
        i = np.arange(n_in) if self.inputs is None else self.inputs
        end = np.arange(n_in) if self.outputs is None else self.outputs
        found = np.ones(n_in, self.dtype)
        for (_, r, _, d), blocks in zip(self.pattern, self.blocks, strict=True):
            row, column = end // d % r, i // d % r
            found *= blocks[i // (r * d) * d + i % d, row, column]
            i = i + (row - column) * d
        return found

    def trace(self):
        """Return the sum of `diagonal`."""
        return self.diagonal().sum()

    def _require_square(self):
        if self.shape[0] != self.shape[1] or self.shape[0] != self._plan.sizes[0]:
            raise ValueError(
                "only a square butterfly without truncation has an inverse and a "
                f"determinant, got shape {self.shape} of {self._plan.sizes}"
            )
        for k, (a, b, c, d) in enumerate(self.pattern):
            if b != c:
                raise ValueError(
                    f"all blocks must be square, got layer {k} of pattern {a, b, c, d}"
                )


def _check_invertible(blocks, layer):
    if not np.isfinite(blocks).all():
        raise LinAlgError(f"layer {layer} has blocks with NaN or Inf")
    values = _singular_values(blocks)
    largest, smallest = values.max(axis=1), values.min(axis=1)
    p = int(np.argmin(smallest / np.where(largest, largest, 1)))
    if not smallest[p]:
        raise LinAlgError(
            f"the butterfly has no inverse: block {p} of layer {layer} is singular"
        )
    if smallest[p] < np.finfo(blocks.dtype).eps * largest[p]:
        raise LinAlgError(
            f"layer {layer} is too badly conditioned to be inverted: the condition "
            f"number of its block {p} is {largest[p] / smallest[p]:.1e}"
        )


def _singular_values(blocks):
    """Of each block, largest first; those of real 2x2 blocks in closed form."""
    if blocks.shape[1:] != (2, 2) or blocks.dtype.kind == "c":
        return np.linalg.svd(blocks, compute_uv=False)
    a, b, c, d = np.moveaxis(blocks.reshape(-1, 4).astype(float), 1, 0) / 2
    largest = np.hypot(a + d, c - b) + np.hypot(a - d, b + c)
    unit = blocks / np.where(largest > 0, largest, 1)[:, np.newaxis, np.newaxis]
    return np.stack([largest, np.abs(_determinants(unit)) * largest], axis=1)


def _determinants(blocks):
    return blocks[:, 0, 0] * blocks[:, 1, 1] - blocks[:, 0, 1] * blocks[:, 1, 0]


def _inverses(blocks):
    if blocks.shape[1:] != (2, 2):
        return np.linalg.inv(blocks)
    wide = blocks.astype(np.result_type(blocks, np.float64), copy=False)
    scale = np.abs(wide).max(axis=(1, 2), keepdims=True)
    wide = wide / scale
    adjugate = np.empty_like(wide)
    adjugate[:, 0, 0], adjugate[:, 1, 1] = wide[:, 1, 1], wide[:, 0, 0]
    adjugate[:, 0, 1], adjugate[:, 1, 0] = -wide[:, 0, 1], -wide[:, 1, 0]
    adjugate /= _determinants(wide)[:, np.newaxis, np.newaxis]
    return (adjugate / scale).astype(blocks.dtype, copy=False)


def _parity(order):
    """Sign of a permutation; None: the identity."""
    if order is None:
        return 1
    sign, seen = 1, np.zeros(len(order), bool)
    order = order.tolist()
    for start in range(len(order)):
        i, length = start, 0
        while not seen[i]:
            seen[i], i, length = True, order[i], length + 1
        sign = -sign if length and length % 2 == 0 else sign
    return sign


def _has_one_path(pattern):
    """Whether each layer settles one digit of a coordinate, once."""
    layers = sorted(pattern, key=lambda layer: layer[3])
    return tuple(layers) == patterns.mixed([layer[1] for layer in layers])


def _diagonal_of_products(B):
    n, piece = B.shape[0], 256
    found = np.empty(n, B.dtype)
    for start in range(0, n, piece):
        rows = np.arange(start, min(start + piece, n))
        unit = np.zeros((len(rows), n), B.dtype)
        unit[np.arange(len(rows)), rows] = 1
        found[rows] = B.apply(unit)[np.arange(len(rows)), rows]
    return found
