"""Products: a butterfly applied to arrays of any layout, and its gradients."""

from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .._base.threads import as_workers
from .._plans.binary import BinaryPlan
from .._plans.blocks import BlockPlan
from .._plans.weight_cache import WeightCache
from .operator import Operator


class Products(Operator):
    """Base of a frozen value with a plan and weights: how it is multiplied."""

    _plan: BinaryPlan | BlockPlan
    _weights: NDArray
    _cache: WeightCache

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
        workers, plan, dtype = as_workers(workers), self._plan, self._weights.dtype
        n_out, n_in = plan.shape
        plain = axis == -1 and layout.is_plain(x, dtype, 2, n_in)
        if plain and (out is None or layout.is_plain_target(out, x, n_out)):
            engine = plan.rows(len(x), dtype)
            return engine.apply(self._cache(engine, self._weights), x, out, workers)
        x = arguments.as_numbers("x", x)
        dtype = arguments.common_dtype(dtype, x)
        axis = layout.sample_axis("x", x, axis, n_in)
        if out is not None:
            shape = list(x.shape)
            shape[axis] = n_out
            layout.check_out(out, tuple(shape), dtype)
        planes, engine = layout.to_columns(x, axis), plan.columns(dtype)
        if planes is not None and engine.accepts(planes.shape):
            samples = layout.Columns(planes, x, axis, dtype, out)
        else:
            samples = layout.Rows(x, axis, n_out, dtype, out)
            engine = plan.rows(len(samples.source), dtype)
        packed = self._cache(engine, self._weights)
        y = engine.apply(packed, samples.source, samples.target, workers)
        return samples.restore(y)

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
        workers, plan, dtype = as_workers(workers), self._plan, self._weights.dtype
        n_out, n_in = plan.shape
        plain = axis == -1 and layout.is_plain(x, dtype, 2, n_in)
        if plain and layout.is_plain(g, dtype, 2, n_out) and len(g) == len(x):
            engine = plan.gradient(len(x), dtype)
            packed = self._cache(engine, self._weights)
            gx, gweights = engine.vjp(packed, x, g, workers)
            return gx, gweights.reshape(self._weights.shape)
        x, g = arguments.as_numbers("x", x), arguments.as_numbers("g", g)
        dtype = arguments.common_dtype(dtype, x, g)
        axis = layout.sample_axis("x", x, axis, n_in)
        expected = list(x.shape)
        expected[axis] = n_out
        layout.sample_axis("g", g, axis, n_out)
        if g.shape != tuple(expected):
            raise ValueError(
                "g must have the shape of apply(x), "
                f"got g of shape {g.shape} for x of shape {x.shape}"
            )
        samples = layout.Rows(x, axis, n_in, dtype)
        engine = plan.gradient(len(samples.source), dtype)
        packed = self._cache(engine, self._weights)
        of_output = layout.Rows(g, axis, n_out, dtype).source
        gx, gweights = engine.vjp(packed, samples.source, of_output, workers)
        gx = samples.restore(gx if x.dtype.kind == "c" else gx.real)
        gweights = gweights if self._weights.dtype.kind == "c" else gweights.real
        return gx, gweights.reshape(self._weights.shape)

    def __matmul__(self, x: ArrayLike) -> NDArray:
        """B @ x for x of shape (n_in,) or (n_in, k)."""
        plan, dtype = self._plan, self._weights.dtype
        if layout.is_plain(x, dtype, 1, plan.shape[1]):
            return self._apply_vector(x)
        if not layout.is_plain(x, dtype, 2, plan.shape[1], axis=0):
            return super().__matmul__(x)
        engine, planes = plan.columns(dtype), x[np.newaxis]
        if engine.accepts(planes.shape):
            return engine.apply(self._cache(engine, self._weights), planes)[0]
        rows = x.T.copy()  # too few columns to fill a register
        engine = plan.rows(len(rows), dtype)
        return engine.apply(self._cache(engine, self._weights), rows).T

    dot = matvec = matmat = __matmul__

    @cached_property
    def _apply_vector(self):
        engine = self._plan.rows(1, self._weights.dtype)
        return partial(engine.apply_vector, self._cache(engine, self._weights))
