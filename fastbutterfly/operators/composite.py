"""Operators made of operators: products, `Chain`, and sums, `Sum`."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .operator import Operator


class Composite(Operator):
    """Base of an operator made of `operators`."""

    def __init__(self, operators):
        operators = arguments.as_list("operators", operators)
        for operator in operators:
            if not isinstance(operator, Operator):
                raise TypeError(
                    "operators must hold butterflies, or chains or sums of them, "
                    f"got {type(operator).__name__}"
                )
        if not operators:
            raise ValueError("operators must hold at least one operator, got none")
        self.operators = tuple(operators)

    @property
    def dtype(self) -> np.dtype:
        """The common dtype."""
        return np.result_type(*(operator.dtype for operator in self.operators))

    @property
    def n_weights(self) -> int:
        """Number of weights of all operators together."""
        return sum(operator.n_weights for operator in self.operators)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype}, "
            f"n_weights={self.n_weights}, operators={len(self.operators)})"
        )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.operators == other.operators

    def __hash__(self) -> int:
        return hash(self.operators)


class Chain(Composite):
    """Product of operators, outermost factor first; ``A @ B`` makes one.

    Parameters
    ----------
    operators : sequence of Operator
        Of shapes that fit; chains among them are replaced by their operators.

    Raises
    ------
    ValueError, TypeError
        If there is no operator, or the shapes of two neighbours do not fit.

    Notes
    -----
    B1 B2^T is a Kaleidoscope matrix (Dao et al., 2020): products of enough of these
    represent every matrix that has a fast algorithm.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> K = fb.Butterfly.random(8, rng=0) @ fb.Butterfly.random(8, rng=1).T
    >>> K
    Chain(shape=(8, 8), dtype=float64, n_weights=96, operators=2)
    """

    def __init__(self, operators):
        flat = []
        for operator in arguments.as_list("operators", operators):
            flat += operator.operators if isinstance(operator, Chain) else [operator]
        super().__init__(flat)
        for k, (outer, inner) in enumerate(pairwise(flat)):
            if outer.shape[1] != inner.shape[0]:
                raise ValueError(
                    f"operators must fit: number {k} has shape {outer.shape}, "
                    f"number {k + 1} has shape {inner.shape}"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """(n_out, n_in)."""
        return self.operators[0].shape[0], self.operators[-1].shape[1]

    def apply(
        self,
        x: ArrayLike,
        *,
        axis: int = -1,
        out: NDArray | None = None,
        workers: int | None = None,
    ) -> NDArray:
        """Apply the product along an axis; as `Butterfly.apply`."""
        x = arguments.as_numbers("x", x)
        dtype = arguments.common_dtype(self.dtype, x)
        layout.sample_axis("x", x, axis, self.shape[1])
        options = {"axis": axis, "workers": workers}
        x = x.astype(dtype, copy=False)
        for operator in self.operators[:0:-1]:
            x = operator.apply(x, **options)
        return self.operators[0].apply(x, out=out, **options)

    def vjp(
        self,
        x: ArrayLike,
        g: ArrayLike,
        *,
        axis: int = -1,
        workers: int | None = None,
    ) -> tuple[NDArray, tuple[NDArray, ...]]:
        """Gradients of Re <g, B x> for x and for each operator's weights, in order.

        Parameters and errors are those of `Butterfly.vjp`. The input of each operator
        is computed once and held until its gradients are.
        """
        options = {"axis": axis, "workers": workers}
        inputs = [arguments.as_numbers("x", x)]
        for operator in self.operators[:0:-1]:
            inputs.append(operator.apply(inputs[-1], **options))
        gradients = []
        for operator, x in zip(self.operators, inputs[::-1], strict=True):
            g, gweights = operator.vjp(x, g, **options)
            gradients.append(gweights)
        return g if inputs[0].dtype.kind == "c" else g.real, tuple(gradients)

    @cached_property
    def T(self) -> "Chain":
        """The transpose."""
        return Chain([operator.T for operator in self.operators[::-1]])

    @cached_property
    def H(self) -> "Chain":
        """The conjugate transpose."""
        return Chain([operator.H for operator in self.operators[::-1]])

    def inv(self) -> "Chain":
        """Return the inverse: the inverses in reverse order.

        Raises
        ------
        TypeError
            If an operator has no method `inv`.
        LinAlgError, ValueError
            As `Butterfly.inv`.
        """
        return Chain([inv() for inv in self._methods("inv")[::-1]])

    def solve(self, y: ArrayLike) -> NDArray:
        """Return x with B x = y, for y of shape (n,) or (n, k); errors as `inv`."""
        for solve in self._methods("solve"):
            y = solve(y)
        return y

    def slogdet(self) -> tuple:
        """Return sign and logarithm of the absolute value of the determinant."""
        pairs = [slogdet() for slogdet in self._methods("slogdet")]
        signs, logs = zip(*pairs, strict=True)
        return np.prod(signs), np.sum(logs)

    def factors(self) -> list:
        """Return the layers of all operators, as `Butterfly.factors`."""
        return [layer for factors in self._methods("factors") for layer in factors()]

    def _methods(self, name):
        """The bound methods of this name, one of each operator."""
        for operator in self.operators:
            if not hasattr(operator, name):
                raise TypeError(
                    f"{name}() needs operators that have it, got "
                    f"a {type(operator).__name__}"
                )
        return [getattr(operator, name) for operator in self.operators]


class Sum(Composite):
    """Sum of operators of one shape.

    Parameters
    ----------
    operators : sequence of Operator
        All of the same shape.

    Raises
    ------
    ValueError, TypeError
        If there is no operator, or their shapes differ.

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
        total = self.operators[0].apply(x, axis=axis, workers=workers)
        for operator in self.operators[1:]:
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


Operator._product_type = Chain
