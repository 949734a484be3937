"""Engines for few inputs or few outputs: rows and gradients by a pruned plan.

A butterfly of increasing strides is pruned where few outputs are kept, one of
decreasing strides where few inputs are used. The pruned plan takes and gives the few
coordinates; at the other end, which may be selected too, there are all n.
"""


class PrunedRows:
    """Engine for rows of one dtype: `pack` weights, then `apply`."""

    def __init__(self, plan, dtype):
        self._plan, self._increasing = plan.pruned(dtype), plan.increasing
        self._inputs, self._outputs = plan.ins, plan.outs
        self.pack, self.dtype = self._plan.pack, dtype

    def apply(self, packed, x, out=None, workers=None):
        """Return B x for each row x (batch, n_in); `out` is C-ordered and not x."""
        if self._increasing:
            return self._plan.apply(packed, self._inputs.spread(x), out, workers)
        whole = out if self._outputs.is_all else None
        y = self._plan.apply(packed, x, whole, workers)
        return self._outputs.pick(y, out)


class PrunedGradient:
    """Engine for gradients of one dtype: `pack` weights, then `vjp`."""

    def __init__(self, plan, dtype):
        self._plan, self._increasing = plan.pruned(dtype), plan.increasing
        self._inputs, self._outputs = plan.ins, plan.outs
        self.pack, self.dtype = self._plan.pack, dtype

    def vjp(self, packed, x, g, workers=None):
        """Return the gradients of Re <g, B x>: (batch, n_in) and flat (n_stored,)."""
        if self._increasing:
            gx, gweights = self._plan.vjp(packed, self._inputs.spread(x), g, workers)
            return self._inputs.pick(gx), gweights
        return self._plan.vjp(packed, x, self._outputs.spread(g), workers)
