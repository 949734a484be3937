"""Operator: matrix products and SciPy's protocol on top of `apply`, `T` and `H`."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout


class Operator:
    """Base of linear operators with `shape`, `dtype`, `apply`, `T` and `H`."""

    __array_ufunc__ = None  # so that ndarray @ B calls B.__rmatmul__

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """B @ x for x of shape (n_in,) or (n_in, k); with an operator a `Chain`."""
        if isinstance(x, Operator):
            return Chain([self, x])
        return self.apply(_vector_or_matrix("x", x), axis=0)

    def __rmatmul__(self, x: ArrayLike) -> NDArray:
        """X @ B for x of shape (n_out,) or (k, n_out): x times the matrix."""
        return self.T.apply(_vector_or_matrix("x", x))

    dot = __matmul__
    matmat = __matmul__

    def matvec(self, x: ArrayLike) -> NDArray:
        """B @ x for one vector, of shape (n_in,) or (n_in, 1)."""
        return self @ x

    def rmatvec(self, x: ArrayLike) -> NDArray:
        """B.H @ x for one vector, of shape (n_out,) or (n_out, 1)."""
        return self.H @ x

    def rmatmat(self, x: ArrayLike) -> NDArray:
        """B.H @ X for X of shape (n_out, k)."""
        return self.H @ x

    def to_dense(self) -> NDArray:
        """Return the matrix, shape (n_out, n_in)."""
        identity = np.eye(self.shape[1], dtype=self.dtype)
        return np.ascontiguousarray(self.apply(identity).T)

    def as_linear_operator(self):
        """Return a scipy.sparse.linalg.LinearOperator with the same products."""
        from scipy.sparse.linalg import LinearOperator  # slow to import

        return LinearOperator(
            self.shape,
            matvec=self.matvec,
            rmatvec=self.rmatvec,
            matmat=self.matmat,
            rmatmat=self.rmatmat,
            dtype=self.dtype,
        )


class Several(Operator):
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
        """Sum of those of the operators."""
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


class Chain(Several):
    """Product of operators, the one applied last first; ``A @ B`` makes one.

    Parameters
    ----------
    operators : sequence of Operator
        Whose shapes fit; chains among them are joined in.

    Raises
    ------
    ValueError, TypeError
        If there is none, or two neighbours do not fit.

    Notes
    -----
    B1 B2^T is a Kaleidoscope matrix (Dao et al., 2020): products of so many of these
    represent every matrix with a fast algorithm.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> K = fb.Butterfly.random(8, rng=0) @ fb.Butterfly.random(8, rng=1).T
    >>> K
    Chain(shape=(8, 8), dtype=float64, n_weights=96, operators=2)
    """

    def __init__(self, operators):
        found = []
        for operator in arguments.as_list("operators", operators):
            found += operator.operators if isinstance(operator, Chain) else [operator]
        super().__init__(found)
        for k, (last, first) in enumerate(pairwise(found)):
            if last.shape[1] != first.shape[0]:
                raise ValueError(
                    f"operators must fit: number {k} has shape {last.shape}, "
                    f"number {k + 1} has shape {first.shape}"
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

        Parameters and errors are those of `Butterfly.vjp`; what lies between the
        operators is kept.
        """
        options = {"axis": axis, "workers": workers}
        saved = [arguments.as_numbers("x", x)]
        for operator in self.operators[:0:-1]:
            saved.append(operator.apply(saved[-1], **options))
        found = []
        for operator, x in zip(self.operators, saved[::-1], strict=True):
            g, gweights = operator.vjp(x, g, **options)
            found.append(gweights)
        return g if saved[0].dtype.kind == "c" else g.real, tuple(found)

    @cached_property
    def T(self) -> "Chain":
        """The transpose."""
        return Chain([operator.T for operator in self.operators[::-1]])

    @cached_property
    def H(self) -> "Chain":
        """The conjugate transpose."""
        return Chain([operator.H for operator in self.operators[::-1]])

    def inv(self) -> "Chain":
        """Return the inverse; errors are those of the operators' own."""
        return Chain([each() for each in self._all("inv")[::-1]])

    def solve(self, y: ArrayLike) -> NDArray:
        """Return x with B x = y, for y of shape (n,) or (n, k)."""
        for solve in self._all("solve"):
            y = solve(y)
        return y

    def slogdet(self) -> tuple:
        """Return sign and logarithm of the absolute value of the determinant."""
        signs, logs = zip(*(each() for each in self._all("slogdet")), strict=True)
        return np.prod(signs), np.sum(logs)

    def factors(self) -> list:
        """Return the layers of all, as `Butterfly.factors`."""
        return [layer for each in self._all("factors") for layer in each()]

    def _all(self, name):
        """The methods of this name of all operators."""
        for operator in self.operators:
            if not hasattr(operator, name):
                raise TypeError(
                    f"{name}() needs operators that have it, got "
                    f"a {type(operator).__name__}"
                )
        return [getattr(operator, name) for operator in self.operators]


def _vector_or_matrix(name, x):
    x = arguments.as_numbers(name, x)
    if x.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have one or two dimensions in a product, got shape "
            f"{x.shape}; use apply(x, axis=...) for more"
        )
    return x
