"""Calibration: real steps become integer ones, with the ranges that samples have."""

from functools import singledispatchmethod

import numpy as np

from .. import steps as step
from . import steps as integer
from .rounding import rounded
from .steps import LARGEST

HEADROOM = 1.25  # what samples may reach, by what those of the calibration did
DEVIATIONS = 6  # of a coordinate that its range holds at least
FEW = 4  # terms of a row up to which the scales of its inputs may differ
NARROWEST = 1 / 2  # least range of an output, of the largest of its step

LAYERS = {step.Norm: "LayerNorm", step.Added: "Residual", step.Everywhere: "PointWise"}


def has_rules(steps):
    """Whether all steps can be done in integers."""
    known = step.Mark, step.Matrix, step.Blocks, step.Pairs, step.Bias, step.Spread
    return all(
        isinstance(one, (*known, step.Pick, step.Transpose))
        or (isinstance(one, step.Activation) and one.name == "ReLU")
        for one in steps
    )


def _reach(x):
    """What the absolute values of each coordinate are expected to stay below."""
    deviations = np.sqrt(np.mean(x**2, axis=0))
    return np.maximum(HEADROOM * np.abs(x).max(axis=0), DEVIATIONS * deviations)


def _reach_with_bias(y, following):
    """The same, also after a bias that follows, at once or after a choice."""
    reach, index = _reach(y), np.arange(y.shape[1])
    if following and isinstance(following[0], step.Pick):
        index, following = following[0].index, following[1:]
    if following and isinstance(following[0], step.Bias):
        bias = following[0]
        both = np.maximum(_reach(bias(y[:, index])), np.abs(bias.values))
        reach[index] = np.maximum(reach[index], both)
    return reach


def _without_integers(name):
    return TypeError(
        f"net has a layer {name}, which integers have no rule for; there are rules for "
        "dense and butterfly layers, biases, ReLU and dropout"
    )


class Maker:
    """Goes through the steps with samples x and the scales t of their coordinates."""

    def __init__(self, steps, x, bits):
        self.bits, self.made = bits, []
        self.input_scale = LARGEST / (float(_reach(x).max()) or 1.0)
        self.x, self.t = x, np.full(steps[0].n_in if steps else 1, self.input_scale)
        for i, one in enumerate(steps):
            y = one(self.x)
            reach = _reach_with_bias(y, steps[i + 1 :])
            self.reach = np.maximum(reach, NARROWEST * reach.max())
            self.made.append(self.make(one))
            self.x = y
        self.equalize()
        self.output_scale = float(self.t[0])

    def equalize(self):
        """Give all coordinates one scale, by a step of its own if need be."""
        if np.ptp(self.t):
            factors = self.t.min() / self.t * LARGEST
            self.made.append(integer.Scale(np.rint(factors).astype(np.int64)))
            least = self.t.min() * LARGEST / (LARGEST + 1)
            self.t = np.full(len(self.t), least)

    @singledispatchmethod
    def make(self, one):
        """The integer step, and the scales after it."""
        raise _without_integers(LAYERS[type(one)])

    @make.register
    def _(self, one: step.Activation):
        if one.name != "ReLU":
            raise _without_integers(one.name)
        return integer.ReLU("ReLU", one.n_in)

    @make.register
    def _(self, one: step.Bias):
        return integer.updated(integer.Bias(one.values, self.t), one, self.bits)

    @make.register
    def _(self, one: step.Mark):
        return one

    @make.register(step.Pick)
    @make.register(step.Transpose)
    def _(self, one):
        self.t = one(self.t[np.newaxis])[0]
        return one

    @make.register
    def _(self, one: step.Spread):
        self.t = one(self.t[np.newaxis])[0]
        self.t[self.t == 0] = self.t.max(initial=1)
        return one

    @make.register
    def _(self, one: step.Matrix):
        ends = np.arange(one.n_in)[np.newaxis], np.arange(one.n_out)
        return integer.Matrix(*self._rows(one.weights, *ends))

    @make.register
    def _(self, one: step.Blocks):
        a, b, c, d = one.weights.shape
        sources = np.arange(one.n_in).reshape(a, 1, c, d).transpose(0, 3, 1, 2)
        sources = np.broadcast_to(sources, (a, d, b, c)).reshape(-1, c)
        targets = np.arange(one.n_out).reshape(a, b, d).transpose(0, 2, 1).reshape(-1)
        rows = one.weights.transpose(0, 3, 1, 2).reshape(-1, c)
        w, *rest, scale = self._rows(rows, sources, targets)
        w, scale = (
            np.ascontiguousarray(rows.reshape(a, d, b, c).transpose(0, 2, 3, 1))
            for rows in (w, scale)
        )
        return integer.Blocks(w, *rest, scale)

    @make.register
    def _(self, one: step.Pairs):
        ends = np.stack([one.first, one.first + one.apart], axis=1)
        sources = np.repeat(ends, 2, axis=0)
        rows = one.weights.reshape(-1, 2), sources, ends.reshape(-1)
        w, *rest, scale = self._rows(*rows)
        w, scale = w.reshape(-1, 2, 2), scale.reshape(-1, 2, 2)
        return integer.Pairs(w, one.first, one.apart, one.n_in, *rest, scale)

    def _rows(self, W, sources, targets):
        """Integer rows for outputs `targets` of inputs `sources`, shift, wide, scales.

        The scales of coordinates are set to those after the step.
        """
        if sources.shape[1] > FEW:
            self.equalize()
        squares = np.mean((self.x * self.t) ** 2, axis=0)[sources]
        V = W / self.t[sources]
        squares = np.broadcast_to(squares, V.shape)
        w, u, shift, wide = rounded(V, squares, self.reach[targets], self.bits)
        scale = u[:, np.newaxis] / self.t[sources]
        t = np.resize(self.t, len(self.reach))  # what no row writes is kept
        t[targets] = u / 2.0**shift
        self.t = t
        return w, shift, wide, np.broadcast_to(scale, V.shape)
