"""Weight cache: weights as an engine's kernel reads them, made once."""

import numpy as np

from .._base.memory import frozen
from .._kernels.elementwise import same


class WeightCache:
    """Packed weights of a frozen value, by engine."""

    def __init__(self):
        self._packed = {}

    def __call__(self, engine, weights):
        """The engine's packed weights; `weights` are always the same, in any dtype."""
        packed = self._packed.get(engine)
        if packed is None:
            flat = weights.reshape(-1).astype(engine.dtype, copy=False)
            packed = self._packed[engine] = engine.pack(flat)
        return packed

    def __reduce__(self):  # kernels do not go into a pickle
        return type(self), ()


class CheckedWeightCache(WeightCache):
    """Packed weights of a layer, made again only when they have changed.

    A network's parameters may be written to at any time, and nothing tells. So with
    what is packed goes a copy of the weights, and comparing costs a tenth of packing.
    """

    def __call__(self, engine, weights):
        """The engine's packed weights; `weights` are flat, as they are now."""
        known, packed = self._packed.get(engine, (None, None))
        bits = frozen(weights).view(np.int32)
        if known is None or not same(known, bits):
            packed = engine.pack(weights)
            self._packed[engine] = frozen(bits.copy()), packed
        return packed
