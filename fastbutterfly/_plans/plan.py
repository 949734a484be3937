"""Plan: the structure that weights are applied by, and the engines that do it."""

from functools import cached_property

from . import patterns
from .selection import Selection


class Plan:
    """Pattern, the coordinates used and kept; no weights, no checks.

    What to do depends on the dtype and on what the samples are, not on the weights: an
    engine for rows, columns or gradients is made once and kept.
    """

    def __init__(self, sizes, pattern, inputs, outputs):
        self.sizes, self.pattern = sizes, pattern  # (n_out, n_in) without selections
        self.inputs, self.outputs = inputs, outputs
        self.n, self.depth = max(sizes), len(pattern)
        self.n_stored = sum(map(patterns.n_stored, pattern))
        self.outs, self.ins = map(Selection, sizes, (outputs, inputs))
        self.shape = self.outs.count, self.ins.count
        self._engines = {}

    @cached_property
    def n_weights(self):
        """Number of weights on a path from a used input to a kept output."""
        return patterns.effective(self.pattern, self.inputs, self.outputs)

    def _engine(self, kind, dtype):
        engine = self._engines.get((kind, dtype))
        if engine is None:
            engine = self._engines[kind, dtype] = kind(self, dtype)
        return engine


class Engine:
    """What a plan prepares for one dtype and one kind of call.

    Its `pack` turns flat weights into what its kernel reads; its `apply` or `vjp` takes
    C-ordered arrays of that dtype. Results do not depend on the number of workers.
    """

    def __init__(self, plan, dtype):
        self.dtype, self.inputs, self.outputs = dtype, plan.ins, plan.outs
