"""Products: a butterfly applied to arrays of any layout, and its gradients."""

from functools import cached_property

from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .._base.layout import along
from .._base.threads import as_workers
from .._plans.binary import Plan
from .._plans.blocks import Mixed
from .operator import Operator


class Products(Operator):
    """Base of a frozen value with a plan and weights: how it is multiplied."""

    _plan: Plan | Mixed
    _weights: NDArray
    _packs: dict

    def apply(
        self,
        x: ArrayLike,
        *,
        axis: int = -1,
        out: NDArray | None = None,
        workers: int | None = None,
    ) -> NDArray:
        """Apply the butterfly along an axis.

        Parameters
        ----------
        x : array, n_in elements along `axis`
            Any real or complex dtype, any order; it is not modified. Fastest are arrays
            in C order, or in Fortran order, of the butterfly's dtype: they are not
            copied, whatever the axis.
        axis : int
            Axis of x that holds the coordinates.
        out : array, optional
            Where to write the result; its shape and dtype must fit. May be x itself.
        workers : int, optional
            Number of threads; None: one for small arrays, else one for each CPU.

        Returns
        -------
        array, the shape of x with n_out along `axis`
            Of dtype ``np.result_type(B.dtype, x.dtype)``; integers count as float64.

        Raises
        ------
        ValueError, TypeError
            If a shape, dtype or option is not as described.

        Examples
        --------
        >>> import numpy as np
        >>> import fastbutterfly as fb
        >>> fb.Butterfly.random(8, rng=0).apply(np.ones((3, 8, 2)), axis=1).shape
        (3, 8, 2)
        """
        workers, (n_out, n_in) = as_workers(workers), self._plan.shape
        dtype = self._weights.dtype
        plain = axis == -1 and layout.is_plain(x, dtype, 2, n_in)
        if plain and (out is None or layout.is_plain_target(out, x, n_out)):
            packed = self._packed(dtype, batch=len(x))
            return self._plan.apply(packed, x, out=out, workers=workers)
        x = arguments.as_numbers("x", x)
        dtype = arguments.common_dtype(self._weights.dtype, x)
        axis = layout.sample_axis("x", x, axis, n_in)
        if out is not None:
            shape = list(x.shape)
            shape[axis] = n_out
            layout.check_out(out, tuple(shape), dtype)
        options = {"workers": workers}

        def columns(planes, target):
            packed = self._packed(dtype, "columns")
            return self._plan.apply_columns(packed, planes, out=target, **options)

        def rows(flat, target):
            packed = self._packed(dtype, batch=len(flat))
            return self._plan.apply(packed, flat, out=target, **options)

        def takes(planes):
            return self._plan.takes_columns(planes.shape, dtype)

        return along(x, axis, n_out, dtype, out, takes, columns, rows)

    def vjp(
        self,
        x: ArrayLike,
        g: ArrayLike,
        *,
        axis: int = -1,
        workers: int | None = None,
    ) -> tuple[NDArray, NDArray]:
        """Gradients of Re <g, B x> with respect to x and to the weights.

        Parameters
        ----------
        x : array, n_in elements along `axis`
            The input of `apply`.
        g : array, the shape of ``apply(x)``
            Gradient of a loss with respect to that output.
        axis, workers
            As for `apply`.

        Returns
        -------
        gx : array, the shape of x
            B^H applied to g; its real part if x is real.
        gweights : array, the shape of `weights`
            For block p of layer l, gweights[l, p, o, c] = sum over samples of
            g_o * conj(x_c), with x the input and g the gradient of the output of layer
            l at that block; its real part if the weights are real.

        Raises
        ------
        ValueError, TypeError
            If a shape, dtype or option is not as described.

        Examples
        --------
        >>> import numpy as np
        >>> import fastbutterfly as fb
        >>> B = fb.Butterfly.random(8, rng=0)
        >>> gx, gweights = B.vjp(np.ones((5, 8)), np.ones((5, 8)))
        >>> gx.shape, gweights.shape
        ((5, 8), (3, 4, 2, 2))
        """
        x, g = arguments.as_numbers("x", x), arguments.as_numbers("g", g)
        dtype = arguments.common_dtype(self._weights.dtype, x, g)
        x_moved = layout.to_samples("x", x, axis, self._plan.shape[1])
        g_moved = layout.to_samples("g", g, axis, self._plan.shape[0])
        if g_moved.shape[:-1] != x_moved.shape[:-1]:
            raise ValueError(
                "g must have the shape of apply(x), "
                f"got g of shape {g.shape} for x of shape {x.shape}"
            )
        rows = layout.to_rows(x_moved, dtype), layout.to_rows(g_moved, dtype)
        packed = self._packed(dtype, "gradient", len(rows[0]))
        gx, gweights = self._plan.vjp(packed, *rows, workers=as_workers(workers))
        gx = gx if x.dtype.kind == "c" else gx.real
        gweights = gweights if self._weights.dtype.kind == "c" else gweights.real
        gx = layout.from_samples(gx.reshape(x_moved.shape), axis)
        return gx, gweights.reshape(self._weights.shape)

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """B @ x for x of shape (n_in,) or (n_in, k)."""
        if layout.is_plain(x, self._weights.dtype, 1, self._plan.shape[1]):
            return self._one(x)
        return super().__matmul__(x)

    dot = matvec = matmat = __matmul__

    @cached_property
    def _one(self):
        return self._plan.one(self._packed(self._weights.dtype))

    def _packed(self, dtype, use="rows", batch=0):
        """Weights of this dtype as the kernels read them, made once."""
        use = self._plan.use(batch, dtype, use)
        packed = self._packs.get((dtype, use))
        if packed is None:
            flat = self._weights.reshape(-1).astype(dtype, copy=False)
            packed = self._packs[dtype, use] = self._plan.pack(flat, use)
        return packed
