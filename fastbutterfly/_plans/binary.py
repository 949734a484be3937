"""Binary plan: the shape of a power-of-two butterfly, and its engines."""

from functools import cached_property, partial

from . import patterns
from .plan import Plan
from .pruned import PrunedPlan
from .pruned_engines import PrunedGradient, PrunedRows
from .radix2_columns import Radix2Columns
from .radix2_gradient import Radix2Gradient
from .radix2_rows import Radix2Rows

MIN_PRUNED_BATCH = 16  # samples from which few inputs or outputs are made use of


class BinaryPlan(Plan):
    """Size, order of strides, the coordinates used and kept."""

    def __init__(self, n, *, stride="increasing", inputs=None, outputs=None):
        self.stride, self.increasing = stride, stride == "increasing"
        pattern = patterns.mixed((2,) * (n.bit_length() - 1), self.increasing)
        super().__init__((n, n), pattern, inputs, outputs)
        self._kept = outputs if self.increasing else inputs
        self._pruned = {}  # by dtype

    def __reduce__(self):  # kernels do not go into a pickle
        ends = {"inputs": self.inputs, "outputs": self.outputs}
        return partial(BinaryPlan, stride=self.stride, **ends), (self.n,)

    @cached_property
    def T(self):
        """Of the transpose."""
        stride = "decreasing" if self.increasing else "increasing"
        return BinaryPlan(
            self.n, stride=stride, inputs=self.outputs, outputs=self.inputs
        )

    def views(self, weights):
        """The blocks of each layer, (n / 2, 2, 2)."""
        return tuple(weights)

    def transposed(self, weights):
        """Weights of the transpose."""
        return weights[::-1].swapaxes(-1, -2)

    def rows(self, batch, dtype):
        """The engine for so many rows."""
        pruned = batch >= MIN_PRUNED_BATCH and self.pruned(dtype)
        return self._engine(PrunedRows if pruned else Radix2Rows, dtype)

    def columns(self, dtype):
        """The engine for columns."""
        return self._engine(Radix2Columns, dtype)

    def gradient(self, batch, dtype):
        """The engine for the gradients of so many rows."""
        pruned = batch >= MIN_PRUNED_BATCH and self.pruned(dtype)
        return self._engine(PrunedGradient if pruned else Radix2Gradient, dtype)

    def pruned(self, dtype):
        """How few inputs or outputs are made use of; None if that is not faster."""
        if self._kept is None:
            return None
        if dtype not in self._pruned:
            plan = PrunedPlan(self.n, self.increasing, self._kept, dtype)
            self._pruned[dtype] = plan if plan.is_faster else None
        return self._pruned[dtype]
