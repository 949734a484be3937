"""Sum: several operators of one shape, added."""

from functools import cached_property

from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .operator import Several


class Sum(Several):
    """Sum of operators.

    Parameters
    ----------
    operators : sequence of Operator
        Of one shape.

    Raises
    ------
    ValueError, TypeError
        If there is none, or their shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> import fastbutterfly as fb
    >>> S = fb.Sum([fb.identity(4), fb.identity(4)])
    >>> S
    Sum(shape=(4, 4), dtype=float64, n_weights=32, operators=2)
    >>> S @ np.arange(4)
    array([0., 2., 4., 6.])
    """

    def __init__(self, operators):
        super().__init__(operators)
        shapes = {operator.shape for operator in self.operators}
        if len(shapes) != 1:
            raise ValueError(
                f"operators must have one shape, got the shapes {sorted(shapes)}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(n_out, n_in)."""
        return self.operators[0].shape

    def apply(
        self,
        x: ArrayLike,
        *,
        axis: int = -1,
        out: NDArray | None = None,
        workers: int | None = None,
    ) -> NDArray:
        """Apply the sum along an axis; as `Butterfly.apply`."""
        x = arguments.as_numbers("x", x)
        dtype = arguments.common_dtype(self.dtype, x)
        axis = layout.sample_axis("x", x, axis, self.shape[1])
        if out is not None:
            shape = (*x.shape[:axis], self.shape[0], *x.shape[axis + 1 :])
            layout.check_out(out, shape, dtype)
        x = x.astype(dtype, copy=False)
        first, *rest = self.operators
        total = first.apply(x, axis=axis, workers=workers)
        for operator in rest:
            total += operator.apply(x, axis=axis, workers=workers)
        if out is None:
            return total
        out[...] = total
        return out

    def vjp(
        self,
        x: ArrayLike,
        g: ArrayLike,
        *,
        axis: int = -1,
        workers: int | None = None,
    ) -> tuple[NDArray, tuple[NDArray, ...]]:
        """Gradients of Re <g, S x> for x and for each operator's weights, in order.

        Parameters and errors are those of `Butterfly.vjp`.
        """
        options = {"axis": axis, "workers": workers}
        pairs = [operator.vjp(x, g, **options) for operator in self.operators]
        return sum(gx for gx, _ in pairs), tuple(gweights for _, gweights in pairs)

    @cached_property
    def T(self) -> "Sum":
        """The transpose."""
        return Sum([operator.T for operator in self.operators])

    @cached_property
    def H(self) -> "Sum":
        """The conjugate transpose."""
        return Sum([operator.H for operator in self.operators])
