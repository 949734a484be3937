"""fwht: the fast Walsh-Hadamard transform, a butterfly without weights."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._base import arguments, layout
from .._base.layout import along
from .._base.memory import aligned, frozen
from .._base.permutations import HADAMARD
from .._base.threads import as_workers, parts, run, threads
from .._jit.staging import register_lanes
from .._kernels.hadamard import hadamard_columns, hadamard_few, hadamard_rows
from .._plans.selection import End

NORMS = {"backward": 0.0, "ortho": 0.5, "forward": 1.0}  # times n to minus this
LONG = 1 << 20  # bytes of a sample from which it is passed over in two parts
BLOCK = 1 << 14  # bytes of what is done first of such a sample; at most LONG / 2
PANEL = 1 << 15  # bytes of columns that are worked on together
NEAR = 1 << 13  # bytes of samples that are worked on together
SERIAL = 1 << 22  # bytes of a batch below which a second thread does not pay


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
    transform = _transform(dtype, _as_length(x, axis), norm)
    arguments.as_choice("order", order, HADAMARD)
    if out is not None:
        layout.check_out(out, x.shape, dtype)
    x = np.asarray(x, dtype)
    workers = as_workers(workers)
    order = _order(transform.n, order)
    if order is None:
        return _natural(transform, x, axis, out, workers)
    y = _natural(transform, x, axis, None, workers)
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


def _natural(transform, x, axis, out, workers):
    """The transform of x along an axis, in natural order."""

    def columns(planes, y):
        y = aligned(planes.shape, x.dtype) if y is None else y
        transform.columns(frozen(planes), y, workers)
        return y

    def rows(flat, y):
        y = aligned(flat.shape, x.dtype) if y is None else y
        transform.rows(frozen(flat.reshape(-1)), y.reshape(-1), workers)
        return y

    rest = transform.takes_columns, columns, rows
    return along(x, axis, transform.n, x.dtype, out, *rest)


class _Transform:
    """Size, dtype and scale; arrays are C-ordered, x read-only, and not checked."""

    def __init__(self, dtype, n, power):
        self.n = n
        self.lanes = register_lanes(dtype)
        factor = n**-power * (1 + 1j if dtype.kind == "c" else 1)
        self.scale = frozen(np.full(self.lanes, factor, dtype))
        self.one = frozen(np.full(self.lanes, factor * n**power, dtype))
        size = n * dtype.itemsize
        self.block = BLOCK // dtype.itemsize if size > LONG else 0

    def plain(self, x, workers):
        """Return the transform of a C-ordered array along its last axis."""
        n = self.n
        if x.ndim == 1 and not (self.block or n < 4 * self.lanes):
            y = np.empty(n, x.dtype)
            hadamard_rows(frozen(x), self.scale, y, n, 1)
            return y
        y = (aligned if x.size > 1 << 12 else np.empty)(x.shape, x.dtype)
        self.rows(frozen(x.reshape(-1)), y.reshape(-1), workers)
        return y

    def rows(self, x, y, workers):
        """Write the transform of each sample of x, flat."""
        if self.n == 1:
            np.multiply(x, self.scale[0].real, out=y)
        elif self.n < 4 * self.lanes:
            self._few(x, y, workers)
        elif self.block:
            self._long(x, y, workers)
        else:
            self._rows(x, self.scale, y, self.n, workers)

    def _rows(self, x, scale, y, n, workers):
        together = max(1, NEAR // (n * x.itemsize))
        pieces = parts(len(x), n, threads(workers, x.nbytes >= SERIAL))
        run(lambda p: hadamard_rows(x[p], scale, y[p], n, together), pieces, workers)

    def _few(self, x, y, workers):
        """Registers hold several samples; the last few are filled up with zeros."""
        unit = max(self.n, 2 * self.lanes)
        whole = len(x) - len(x) % unit

        def work(part):
            hadamard_few(x[part], self.scale, y[part], self.n)

        pieces = parts(whole, unit, threads(workers, x.nbytes >= SERIAL))
        run(work, pieces, workers)
        if whole < len(x):
            room = np.zeros(unit, x.dtype)
            room[: len(x) - whole] = x[whole:]
            hadamard_few(frozen(room), self.scale, room, self.n)
            y[whole:] = room[: len(x) - whole]

    def _long(self, x, y, workers):
        """First the blocks of a sample, then what lies a block apart, as columns."""
        self._rows(x, self.one, y, self.block, workers)
        planes = y.reshape(-1, self.n // self.block, self.block)
        self.columns(frozen(planes), planes, workers)

    def takes_columns(self, x):
        """Whether `columns` can do it without a copy."""
        return x.size > 0 and self.n >= 4 and x.shape[2] >= self.lanes

    def columns(self, x, y, workers):
        """Write the transform of each column of planes (n, count)."""
        planes, n, count = x.shape
        width = max(PANEL // (n * self.lanes * x.itemsize), 2) * self.lanes
        flat = x.reshape(-1), y.reshape(-1)

        def work(piece):
            (x, y), (plane, columns) = flat, piece
            size, ends = n * count, (columns.start, columns.stop)
            x, y = (a[plane.start * size : plane.stop * size] for a in (x, y))
            tile = aligned(n * width, x.dtype)
            hadamard_columns(x, self.scale, y, tile, n, count, *ends)

        every = slice(0, planes), slice(0, count)
        most = threads(workers, x.nbytes >= SERIAL)
        if planes >= most:
            pieces = [(plane, every[1]) for plane in parts(planes, 1, most)]
        else:
            pieces = [(every[0], columns) for columns in parts(count, width, most)]
        run(work, pieces, workers)


_KNOWN = {}  # functions of plain arrays, by what has been asked for


@cache
def _made(dtype, n, norm):
    transform = _Transform(dtype, n, NORMS[norm])
    _KNOWN[dtype, (n,), norm, "natural"] = transform.plain
    return transform


def _transform(dtype, n, norm):
    arguments.as_choice("norm", norm, NORMS)
    return _made(dtype, n, norm)


@cache
def _order(n, name):
    """The coefficients taken in another order; None: the natural one."""
    index = HADAMARD[name](n)
    return None if index is None else End(n, frozen(index))


def _reordered(y, order, axis, out):
    n, plain = order.size, out is None or out.flags.c_contiguous
    if axis == y.ndim - 1 and y.flags.c_contiguous and plain:
        rows = None if out is None else out.reshape(-1, n)
        made = order.pick(y.reshape(-1, n), rows)
        return made.reshape(y.shape) if out is None else out
    return y.take(order.index, axis, out, mode="wrap")
