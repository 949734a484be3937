"""Engines for few inputs or few outputs: rows and gradients by a pruned plan.

A butterfly of increasing strides is pruned where few outputs are kept, one of
decreasing strides where few inputs are used. The pruned plan takes and gives the few
coordinates; at the other end, which may be selected too, there are all n.
"""

from .plan import Engine


class _PrunedEngine(Engine):
    """What both have in common."""

    def __init__(self, plan, dtype):
        super().__init__(plan, dtype)
        self._plan, self._increasing = plan.pruned(dtype), plan.increasing
        self.pack = self._plan.pack


class PrunedRows(_PrunedEngine):
    """Engine for rows: `pack` weights, then `apply`."""

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x (batch, n_in); `out` is C-ordered and not x."""
        if self._increasing:
            return self._plan.apply(packed, self.inputs.spread(x), out, workers)
        whole = out if self.outputs.is_all else None
        y = self._plan.apply(packed, x, whole, workers)
        return self.outputs.pick(y, out)


class PrunedGradient(_PrunedEngine):
    """Engine for gradients: `pack` weights, then `vjp`."""

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,)."""
        if self._increasing:
            gx, gweights = self._plan.vjp(packed, self.inputs.spread(x), g, workers)
            return self.inputs.pick(gx), gweights
        return self._plan.vjp(packed, x, self.outputs.spread(g), workers)
