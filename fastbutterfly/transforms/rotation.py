"""Rotation: fast random rotations of any size, of signs and Hadamard transforms."""

from functools import cached_property

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .._base import arguments, layout
from .._base.threads import as_workers
from .._plans import rotation
from ..operators import Operator


def random_rotation(
    n: int,
    *,
    rounds: int = 3,
    dtype: DTypeLike = np.float64,
    rng: Generator | int | None = None,
) -> "Rotation":
    """Draw a random rotation of any size that is applied in O(n log n).

    Parameters
    ----------
    n : int
        Size, 1 or more; primes are as good as powers of two. Nothing is padded.
    rounds : int
        How often signs and Hadamard transforms are repeated. Three rounds are close to
        a uniform rotation, see Notes.
    dtype : float32 or float64
        Arrays of higher precision are rotated in theirs.
    rng : Generator, int or None
        Source of randomness.

    Returns
    -------
    Rotation
        Orthogonal, with determinant 1; `T`, `inverse` and ``inv()`` undo it.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    With m the largest power of two up to n, a round is: random signs and the
    orthonormal Hadamard transform of the first m coordinates; the same of the last m;
    sums and differences of coordinates ceil(n/2) apart, divided by sqrt(2). For n = m
    the first is all, H D (Ailon and Chazelle, 2009). Without the last step the energy
    of one half reaches the other only through the n - 2 (n - m) coordinates that the
    transforms share. One sign makes the determinant 1.

    Rotated unit vectors have coordinates close to N(0, 1/n) after three rounds, also
    basis vectors; after one round many are equal in size (benchmarks/rotation.py).

    Up to n = 128 the rotation is a matrix drawn from the uniform distribution (Stewart,
    1980), whatever `rounds`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastbutterfly as fb
    >>> R = fb.random_rotation(1009, rng=0)
    >>> x = np.ones(1009)
    >>> bool(np.isclose(np.linalg.norm(R @ x), np.linalg.norm(x)))
    True
    >>> bool(np.allclose(R.inverse @ (R @ x), x))
    True
    """
    n = arguments.as_size("n", n)
    rounds = arguments.as_size("rounds", rounds)
    dtype = arguments.as_real_dtype(dtype)
    rng = arguments.as_generator(rng)
    return Rotation(n, dtype, rotation.draw(n, rounds, rng))


class Rotation(Operator):
    """Fast orthogonal operator, see `random_rotation`, which draws it.

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.random_rotation(100, dtype="float32", rng=0)
    Rotation(n=100, dtype=float32)
    """

    def __init__(self, n, dtype, plan, transposed=False):
        self._n, self._dtype = n, dtype
        self._plan, self._transposed = plan, transposed

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return self._n, self._n

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64."""
        return self._dtype

    @property
    def n_weights(self) -> int:
        """0: signs do not count."""
        return 0

    def __repr__(self) -> str:
        transposed = ", transposed" if self._transposed else ""
        return f"Rotation(n={self._n}, dtype={self._dtype}{transposed})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rotation):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self):
        return self._n, self._dtype, self._transposed, self._plan.data.tobytes()

    def __reduce__(self):
        data = self._n, self._dtype.str, self._plan.data, self._transposed
        return Rotation._restored, data

    @classmethod
    def _restored(cls, n, dtype, data, transposed):
        return cls(n, np.dtype(dtype), rotation.restored(n, data), transposed)

    def apply(
        self,
        x: ArrayLike,
        *,
        axis: int = -1,
        out: NDArray | None = None,
        workers: int | None = None,
    ) -> NDArray:
        """Rotate along an axis.

        Parameters
        ----------
        x : array, n elements along `axis`
            Any real or complex dtype, any order; it is not modified.
        axis : int
            Axis of x that holds the coordinates.
        out : array, optional
            Where to write the result; its shape and dtype must fit. May be x itself.
        workers : int, optional
            Number of threads; None: one for small arrays, else one for each CPU.

        Returns
        -------
        array, the shape of x
            Of dtype ``np.result_type(R.dtype, x.dtype)``; integers count as float64.

        Raises
        ------
        ValueError, TypeError
            If a shape, dtype or option is not as described.
        """
        workers = as_workers(workers)
        if axis == -1 and out is None and layout.is_plain(x, self._dtype, 2, self._n):
            return self._plan.apply_rows(x, None, self._transposed, workers)
        x = arguments.as_numbers("x", x)
        dtype = arguments.common_dtype(self._dtype, x)
        axis = layout.sample_axis("x", x, axis, self._n)
        if out is not None:
            layout.check_out(out, x.shape, dtype)
        x = np.asarray(x, dtype)
        if dtype.kind != "c":
            return self._apply_real(x, axis, out, workers)
        y = np.empty_like(x) if out is None else out
        parts = [self._apply_real(a, axis, None, workers) for a in (x.real, x.imag)]
        y.real, y.imag = parts
        return y

    def _apply_real(self, x, axis, out, workers):
        planes = layout.to_columns(x, axis)
        if planes is not None and self._plan.accepts(planes.shape, x.dtype):
            samples = layout.Columns(planes, x, axis, x.dtype, out)
            apply = self._plan.apply_columns
        else:
            samples = layout.Rows(x, axis, self._n, x.dtype, out)
            apply = self._plan.apply_rows
        y = apply(samples.source, samples.target, self._transposed, workers)
        return samples.restore(y)

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """R @ x for x of shape (n,) or (n, k); with an operator a `Chain`."""
        if layout.is_plain(x, self._dtype, 1, self._n):
            return self._plan.apply_vector(x, self._transposed)
        return super().__matmul__(x)

    dot = matvec = matmat = __matmul__

    @cached_property
    def T(self) -> "Rotation":
        """The transpose, which is the inverse."""
        found = Rotation(self._n, self._dtype, self._plan, not self._transposed)
        found.__dict__["T"] = self
        return found

    @property
    def H(self) -> "Rotation":
        """The conjugate transpose: the transpose."""
        return self.T

    @property
    def inverse(self) -> "Rotation":
        """The inverse: the transpose."""
        return self.T

    def inv(self) -> "Rotation":
        """Return the inverse."""
        return self.T

    def solve(self, y: ArrayLike) -> NDArray:
        """Return x with R x = y, for y of shape (n,) or (n, k)."""
        return self.T @ y

    def slogdet(self) -> tuple[float, float]:
        """Return sign and logarithm of the determinant: 1 and 0."""
        return 1.0, 0.0

    def vjp(
        self,
        x: ArrayLike,
        g: ArrayLike,
        *,
        axis: int = -1,
        workers: int | None = None,
    ) -> tuple[NDArray, NDArray]:
        """Gradients of Re <g, R x> for x and for its weights, of which there are none.

        Parameters and errors are those of `Butterfly.vjp`.
        """
        x, g = arguments.as_numbers("x", x), arguments.as_numbers("g", g)
        layout.sample_axis("x", x, axis, self._n)
        if g.shape != x.shape:
            raise ValueError(
                "g must have the shape of apply(x), "
                f"got g of shape {g.shape} for x of shape {x.shape}"
            )
        gx = self.T.apply(g, axis=axis, workers=workers)
        return gx if x.dtype.kind == "c" else gx.real, np.zeros(0, self._dtype)
