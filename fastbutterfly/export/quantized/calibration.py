"""Calibration: real steps become integer ones, with the ranges that samples have."""

from functools import singledispatchmethod

import numpy as np

from ..steps import (
    Activation,
    Bias,
    Blocks,
    LayerStart,
    Matrix,
    Norm,
    Pairs,
    Pick,
    PointwiseStep,
    ResidualStep,
    Spread,
)
from . import steps as integer
from .rounding import round_rows
from .steps import INT16_MAX

# The expected bound of a coordinate: samples in use may exceed those of the calibration
# by a quarter; where these are few, six standard deviations (about zero) bound it.
HEADROOM = 1.25
DEVIATIONS = 6
# A narrow coordinate is given at least this share of the range of its widest one:
# otherwise its scale would be large, and dividing by it would leave small weights.
MIN_RANGE = 1 / 2
# Before longer rows, a step of its own gives all inputs the same scale: with different
# scales the terms of a row differ in size, and rounding is too coarse for the smaller.
# Rows of up to four terms are those of butterflies, for which that step costs too much.
MAX_TERMS_WITH_SCALES = 4

LAYER_NAMES = {Norm: "LayerNorm", ResidualStep: "Residual", PointwiseStep: "PointWise"}


def has_rules(steps):
    """Whether all steps can be done in integers."""
    known = LayerStart, Matrix, Blocks, Pairs, Bias, Spread, Pick
    return all(
        isinstance(step, known)
        or (isinstance(step, Activation) and step.name == "ReLU")
        for step in steps
    )


def calibrate(steps, x, bits):
    """Integer steps, and the scales of inputs and outputs.

    Parameters
    ----------
    steps : list
        Pruned steps of a network.
    x : array, shape (samples, n_in), float64
        Typical inputs.
    bits : {8, 16}
        Of the weights.

    Returns
    -------
    steps : list
        One for each step, and a `Scale` where coordinates must get the same scale.
    input_scale, output_scale : float
        The integers are the real inputs and outputs times these.

    Raises
    ------
    TypeError
        If a step has no rule.
    """
    calibrator = Calibrator(x, bits)
    input_scale = float(calibrator.t[0])
    for i, step in enumerate(steps):
        calibrator.add(step, steps[i + 1 :])
    calibrator.equalize()
    return calibrator.steps, input_scale, float(calibrator.t[0])


def _without_integers(name):
    return TypeError(
        f"net has a layer {name}, which integers have no rule for; there are rules for "
        "dense and butterfly layers, biases, ReLU and dropout"
    )


def _bounds(x):
    """Expected bounds of the absolute values of each coordinate."""
    deviations = np.sqrt(np.mean(x**2, axis=0))
    return np.maximum(HEADROOM * np.abs(x).max(axis=0), DEVIATIONS * deviations)


def _bounds_with_bias(y, following):
    """The same, also after a bias that follows at once or after a `Pick`.

    The bias is added in the scale of y, so both y and the sum must fit into int16.
    """
    bounds, index = _bounds(y), np.arange(y.shape[1])
    if following and isinstance(following[0], Pick):
        index, following = following[0].index, following[1:]
    if following and isinstance(following[0], Bias):
        bias = following[0]
        both = np.maximum(_bounds(bias(y[:, index])), np.abs(bias.values))
        bounds[index] = np.maximum(bounds[index], both)
    return bounds


class Calibrator:
    """Makes integer steps one after the other.

    Attributes
    ----------
    x : array, shape (samples, n)
        The samples after the steps so far, exact.
    t : array, shape (n,)
        The scales of their coordinates: the integers are x times these.
    bounds : array
        Expected bounds of the outputs of the current step.
    steps : list
        The integer steps so far.
    """

    def __init__(self, x, bits):
        self.x, self.bits, self.steps = x, bits, []
        self.t = np.full(x.shape[1], INT16_MAX / (float(_bounds(x).max()) or 1.0))
        self.bounds = None

    def add(self, step, following):
        """Add the integer step of a real one; `following`: the real steps after it."""
        y = step(self.x)
        bounds = _bounds_with_bias(y, following)
        self.bounds = np.maximum(bounds, MIN_RANGE * bounds.max())
        self.steps.append(self.convert(step))
        self.x = y

    def equalize(self):
        """Give all coordinates the same scale, by an additional step if they differ."""
        if np.ptp(self.t):
            factors = self.t.min() / self.t * INT16_MAX
            self.steps.append(integer.Scale(np.rint(factors).astype(np.int64)))
            # The factors are in units of 1 / (INT16_MAX + 1), and at most INT16_MAX.
            self.t = np.full(len(self.t), self.t.min() * INT16_MAX / (INT16_MAX + 1))

    @singledispatchmethod
    def convert(self, step):
        """Return the integer step, and set the scales to those after it."""
        raise _without_integers(LAYER_NAMES[type(step)])

    @convert.register
    def _(self, step: Activation):
        if step.name != "ReLU":
            raise _without_integers(step.name)
        return integer.ReLU("ReLU", step.n_in)

    @convert.register
    def _(self, step: Bias):
        bias = integer.Bias(step.values, self.t)
        return integer.requantize(bias, step, self.bits)

    @convert.register
    def _(self, step: LayerStart):
        return step

    @convert.register
    def _(self, step: Pick):
        self.t = step(self.t[np.newaxis])[0]
        return step

    @convert.register
    def _(self, step: Spread):
        self.t = step(self.t[np.newaxis])[0]
        self.t[self.t == 0] = self.t.max(initial=1)  # zeros have any scale
        return step

    @convert.register
    def _(self, step: Matrix):
        sources, targets = np.arange(step.n_in)[np.newaxis], np.arange(step.n_out)
        return integer.Matrix(*self._convert_rows(step.weights, sources, targets))

    @convert.register
    def _(self, step: Blocks):
        a, b, c, d = step.weights.shape
        sources = np.arange(step.n_in).reshape(a, 1, c, d).transpose(0, 3, 1, 2)
        sources = np.broadcast_to(sources, (a, d, b, c)).reshape(-1, c)
        targets = np.arange(step.n_out).reshape(a, b, d).transpose(0, 2, 1).reshape(-1)
        rows = step.weights.transpose(0, 3, 1, 2).reshape(-1, c)
        w, shift, wide, scale = self._convert_rows(rows, sources, targets)
        w, scale = (
            np.ascontiguousarray(rows.reshape(a, d, b, c).transpose(0, 2, 3, 1))
            for rows in (w, scale)
        )
        return integer.Blocks(w, shift, wide, scale)

    @convert.register
    def _(self, step: Pairs):
        index = np.stack([step.first, step.first + step.stride], axis=1)
        sources, targets = np.repeat(index, 2, axis=0), index.reshape(-1)
        rows = step.weights.reshape(-1, 2)
        w, shift, wide, scale = self._convert_rows(rows, sources, targets)
        w, scale = w.reshape(-1, 2, 2), scale.reshape(-1, 2, 2)
        where = step.first, step.stride, step.n_in
        return integer.Pairs(w, *where, shift, wide, scale)

    def _convert_rows(self, W, sources, targets):
        """Integer rows, their shift, whether they are wide, and their weights' scales.

        Row r of W, (rows, terms), computes output `targets[r]` from the inputs
        `sources[r]`, (rows, terms) or (1, terms).
        """
        if sources.shape[1] > MAX_TERMS_WITH_SCALES:
            self.equalize()
        squares = np.mean((self.x * self.t) ** 2, axis=0)[sources]
        V = W / self.t[sources]
        squares = np.broadcast_to(squares, V.shape)
        w, u, shift, wide = round_rows(V, squares, self.bounds[targets], self.bits)
        scale = u[:, np.newaxis] / self.t[sources]
        t = np.resize(self.t, len(self.bounds))  # coordinates without a row are kept
        t[targets] = u / 2.0**shift
        self.t = t
        return w, shift, wide, np.broadcast_to(scale, V.shape)
