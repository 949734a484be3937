"""Packs: a layer's packed weights, made again only when they have changed."""

import numpy as np

from .._base.memory import frozen
from .._kernels.gather import same


class Packs:
    """Packed weights by use.

    A network's parameters may be written to at any time, and nothing tells. So with
    what is packed goes a copy of the weights, and comparing costs a tenth of packing.
    """

    def __init__(self, plan):
        self._plan, self._made = plan, {}

    def __call__(self, weights, batch, use):
        """Packed flat weights for so many samples; use: "rows" or "gradient"."""
        return self._get(weights, self._plan.use(batch, weights.dtype, use))

    def one(self, weights):
        """Make the function of a vector, see `Plan.one`."""
        return self._get(weights, "one")

    def _get(self, weights, use):
        known, made = self._made.get(use, (None, None))
        bits = frozen(weights).view(np.int32)
        if known is None or not same(known, bits):
            if use == "one":
                made = self._plan.one(self._plan.pack(weights))
            else:
                made = self._plan.pack(weights, use)
            self._made[use] = frozen(bits.copy()), made
        return made
