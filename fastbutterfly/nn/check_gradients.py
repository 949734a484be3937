"""check_gradients: a layer's backward pass against differences of its outputs."""

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._base.arguments import as_generator
from .arguments import as_batch, as_number, as_samples, check_finite
from .layers.layer import Layer

STEP = {"float32": 1e-3, "float64": 1e-6}
TOLERANCE = {"float32": 0.1, "float64": 1e-6}
DIRECTIONS = 5
FLOOR = 0.01  # of the gradient's norm: the error of a smaller part is relative to it


def check_gradients(
    layer: Layer,
    x: ArrayLike | None = None,
    *,
    rng: Generator | int | None = None,
    tolerance: float | None = None,
) -> float:
    """Compare a layer's `backward` with differences of its outputs.

    Parameters
    ----------
    layer : Layer
        Unchanged afterwards. Use dtype float64 for a sharp check.
    x : array, shape (rows, n_in), optional
        Where to check; None: 4 normal samples, 8 wide if the layer takes any width.
    rng : Generator, int or None
        Draws the directions.
    tolerance : float, optional
        Largest relative error that is accepted; None: 1e-6 for float64, 0.1 for
        float32, whose differences are no better in wide networks with kinks.

    Returns
    -------
    float
        The largest relative error.

    Raises
    ------
    AssertionError
        If the gradient of the input or of a parameter, which is named, is off.
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    For a random g and a direction u of the input or of one parameter, the slope of
    <g, layer(x)> is (f(h) - f(-h)) / 2h, h = 1e-6 or 1e-3 for float32, to be compared
    with <gradient, u>. The error is relative to the norm of that part of the gradient,
    or to 0.01 of the norm of the whole gradient if that is larger. It is the median of
    5 directions, so that a step across a kink of a ReLU does no harm. Dropout is
    active, with one mask.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import nn
    >>> net = nn.Sequential(nn.Dense(6, 4, rng=0, dtype=np.float64), nn.GELU())
    >>> nn.check_gradients(net, rng=0) < 1e-6
    True
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be a Layer, got {layer!r}")
    rng = as_generator(rng)
    x = _as_point(x, layer, rng)
    kind = x.dtype.name
    if tolerance is None:
        tolerance = TOLERANCE[kind]
    check = _Check(layer, x, rng, as_number("tolerance", tolerance))
    w = layer.parameters.copy()
    try:
        return check.run()
    finally:
        layer.parameters[...] = w


class _Check:
    """A layer at a point, with a random g and a seed for its masks."""

    def __init__(self, layer, x, rng, tolerance):
        self.layer, self.x, self.rng, self.tolerance = layer, x, rng, tolerance
        self.w, self.h = layer.parameters.copy(), STEP[x.dtype.name]
        self.seed = int(rng.integers(2**32))

    def run(self):
        y, saved = self.forward(self.x)
        self.g = self.rng.standard_normal(y.shape).astype(y.dtype)
        gw = np.full_like(self.w, np.nan)  # backward must overwrite it
        gx = self.layer.backward(saved, self.g, gw)
        if np.shape(gx) != self.x.shape:
            raise AssertionError(
                f"backward of {self.layer!r} must return the gradient of the input, "
                f"of shape {self.x.shape}, got {np.shape(gx)}"
            )
        floor = FLOOR * np.hypot(np.linalg.norm(gx), np.linalg.norm(gw))
        errors = [self.error("input", gx, slice(None), True, floor)]
        for name, part in _parts(self.layer):
            errors.append(self.error(name, gw[part], part, False, floor))
        return max(errors)

    def error(self, name, gradient, part, of_input, floor):
        """Median relative error of one part; raise if it is too large."""
        scale = max(np.linalg.norm(gradient), floor, np.finfo(float).tiny)
        misses = []
        for _ in range(DIRECTIONS):
            u = self.rng.standard_normal(gradient.shape)
            slope = self.slope(u, part, of_input)
            miss = abs(slope - np.vdot(gradient.astype(float), u))
            misses.append(miss / scale if miss else 0.0)
        error = float(np.median(misses))
        if not error <= self.tolerance:  # also if it is NaN
            raise AssertionError(
                f"the gradient of {name} in {self.layer!r} has the relative error "
                f"{error:.2g}, more than {self.tolerance:.2g}"
            )
        return error

    def slope(self, u, part, of_input):
        values = []
        for h in (self.h, -self.h):
            x, w = self.x, self.w.copy()
            if of_input:
                x = (x + h * u).astype(x.dtype)
            else:
                w[part] += h * u
            self.layer.parameters[...] = w
            y, _ = self.forward(x)
            values.append(np.vdot(self.g.astype(float), y.astype(float)))
        self.layer.parameters[...] = self.w
        return (values[0] - values[1]) / (2 * self.h)

    def forward(self, x):
        return self.layer.forward_training(x, np.random.default_rng(self.seed))


def _as_point(x, layer, rng):
    """Samples to check at, in the layer's dtype."""
    if x is None:
        x = rng.standard_normal((4, layer.n_in or 8))
    x = as_samples("x", x, layer.n_in)
    dtype = np.dtype(layer.dtype or np.result_type(x.dtype, np.float32))
    if not x.size:
        raise ValueError(f"x must hold at least one sample, got shape {x.shape}")
    check_finite("x", x, dtype)
    return as_batch(x, dtype)


def _parts(layer, name="", start=0):
    """Names of the parameters and where they are in the buffer."""
    members = getattr(layer, "layers", ())
    for i, member in enumerate(members):
        yield from _parts(member, f"{name}layers[{i}].", start)
        start += member.parameters.size
    shapes = {} if members else layer._shapes
    if not members and not shapes and layer.parameters.size:
        shapes = {"parameters": layer.parameters.shape}
    for key, shape in shapes.items():
        stop = start + int(np.prod(shape))
        yield f"{name}{key}", slice(start, stop)
        start = stop
