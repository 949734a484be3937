"""Structure: what a butterfly is: sizes, weights, comparison, pickling."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from .._plans.binary import BinaryPlan
from .._plans.blocks import BlockPlan


class Structure:
    """Base of a frozen value with a plan and weights."""

    _plan: BinaryPlan | BlockPlan
    _weights: NDArray

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
        """Order of the strides, "increasing" or "decreasing"; None: neither."""
        return self._plan.stride

    @property
    def inputs(self) -> NDArray[np.intp] | None:
        """Coordinates that the input fills; None: all, in order."""
        return self._plan.inputs

    @property
    def outputs(self) -> NDArray[np.intp] | None:
        """Coordinates that the output keeps; None: all, in order."""
        return self._plan.outputs

    @property
    def pattern(self) -> tuple[tuple[int, int, int, int], ...]:
        """Kronecker-sparse pattern (a, b, c, d) of each layer: I_a x (b x c) x I_d."""
        return self._plan.pattern

    @property
    def n_weights(self) -> int:
        """Effective weights: those on a path from a used input to a kept output."""
        return self._plan.n_weights

    @property
    def n_stored(self) -> int:
        """All weights; 2 n log2(n) for blocks of 2x2."""
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

    def __repr__(self) -> str:
        what = (
            f"stride={self.stride!r}" if self.is_binary else f"pattern={self.pattern}"
        )
        return (
            f"Butterfly(shape={self.shape}, dtype={self.dtype}, "
            f"{what}, n_weights={self.n_weights})"
        )

    @property
    def is_binary(self) -> bool:
        """Whether it is made of 2x2 blocks, of size n = 2**depth."""
        return isinstance(self._plan, BinaryPlan)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Structure):
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
