"""fwht: the fast Walsh-Hadamard transform, a butterfly without weights."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .._base.memory import frozen
from .._base.permutations import HADAMARD
from .._base.threads import as_workers
from .._plans.hadamard import HadamardPlan
from .._plans.selection import Selection

NORMS = {"backward": 0.0, "ortho": 0.5, "forward": 1.0}  # times n to minus this


def fwht(
    x: ArrayLike,
    *,
    axis: int = -1,
    norm: str = "backward",
    order: str = "natural",
    out: NDArray | None = None,
    workers: int | None = None,
) -> NDArray:
    """Fast Walsh-Hadamard transform along an axis.

    Parameters
    ----------
    x : array, n elements along `axis`, n a power of two
        Any real or complex dtype, any order; it is not modified. Fastest are arrays in
        C order, or in Fortran order: they are not copied, whatever the axis.
    axis : int
        Axis of x to transform.
    norm : {"backward", "ortho", "forward"}
        As in `scipy.fft`: the sum as it is, divided by sqrt(n), or by n. "forward"
        inverts "backward", and "ortho" itself, in natural and in dyadic order.
    order : {"natural", "sequency", "dyadic"}
        Of the coefficients: as in ``scipy.linalg.hadamard`` (Hadamard), by the number
        of sign changes of their rows (Walsh), or by the bit-reversed index (Paley).
    out : array, optional
        Where to write the result; its shape and dtype must fit. May be x itself.
    workers : int, optional
        Number of threads; None: one for small arrays, else one for each CPU.

    Returns
    -------
    array, the shape of x
        Of the dtype of x; integers count as float64.

    Raises
    ------
    ValueError, TypeError
        If a shape, dtype or option is not as described.

    Notes
    -----
    y[i] = sum over j of (-1)^b(i & j) x[j], where b counts the bits that are one; n
    log2(n) sums and differences (Fino and Algazi, 1976). Coefficient i in dyadic order
    is number r(i) in natural order, where r reverses the log2(n) bits; in sequency
    order it is number r(i ^ i >> 1).

    Examples
    --------
    >>> import fastbutterfly as fb
    >>> fb.fwht([1.0, 2.0, 3.0, 4.0])
    array([10., -2., -4.,  0.])
    >>> fb.fwht([1.0, 2.0, 3.0, 4.0], order="sequency")
    array([10., -4.,  0., -2.])
    """
    if type(x) is np.ndarray and out is None and axis == -1:
        known = _KNOWN.get((x.dtype, x.shape[-1:], str(norm), str(order)))
        if known is not None and x.flags.c_contiguous:
            return known(x, None if workers is None else as_workers(workers))
    x = arguments.as_numbers("x", x)
    if x.ndim == 0:
        raise ValueError("x must have at least one dimension, got a number")
    axis = layout.as_axis(axis, x.ndim)
    dtype = arguments.common_dtype(np.float32, x)
    plan = _plan(dtype, _as_length(x, axis), norm)
    arguments.as_choice("order", order, HADAMARD)
    if out is not None:
        layout.check_out(out, x.shape, dtype)
    x = np.asarray(x, dtype)
    workers = as_workers(workers)
    order = _order(plan.n, order)
    if order is None:
        return _natural(plan, x, axis, out, workers)
    y = _natural(plan, x, axis, None, workers)
    return _reordered(y, order, axis, out)


def _as_length(x, axis):
    n = x.shape[axis]
    if n < 1 or n & (n - 1):
        padded = f" to {1 << n.bit_length()}" if n > 1 else ""
        raise ValueError(
            f"x must have a power of two of elements along axis {axis}, got {n}; "
            f"pad it with zeros{padded}, or use random_rotation, which rotates any size"
        )
    return n


def _natural(plan, x, axis, out, workers):
    """The transform of x along an axis, in natural order."""
    planes = layout.to_columns(x, axis)
    if planes is not None and plan.accepts(planes.shape):
        samples = layout.Columns(planes, x, axis, x.dtype, out)
        return samples.restore(
            plan.apply_columns(samples.source, samples.target, workers)
        )
    samples = layout.Rows(x, axis, plan.n, x.dtype, out)
    return samples.restore(plan.apply_rows(samples.source, samples.target, workers))


_KNOWN = {}  # functions of plain arrays, by what has been asked for


@cache
def _made(dtype, n, norm):
    plan = HadamardPlan(dtype, n, NORMS[norm])
    _KNOWN[dtype, (n,), norm, "natural"] = plan.apply_plain
    return plan


def _plan(dtype, n, norm):
    arguments.as_choice("norm", norm, NORMS)
    return _made(dtype, n, norm)


@cache
def _order(n, name):
    """The coefficients taken in another order; None: the natural one."""
    index = HADAMARD[name](n)
    return None if index is None else Selection(n, frozen(index))


def _reordered(y, order, axis, out):
    n, plain = order.size, out is None or out.flags.c_contiguous
    if axis == y.ndim - 1 and y.flags.c_contiguous and plain:
        rows = None if out is None else out.reshape(-1, n)
        made = order.pick(y.reshape(-1, n), rows)
        return made.reshape(y.shape) if out is None else out
    return y.take(order.index, axis, out, mode="wrap")
