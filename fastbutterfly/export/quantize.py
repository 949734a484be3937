"""quantize: a network in integers; emulate: what its C code computes, to the bit."""

from dataclasses import dataclass, replace
from functools import singledispatchmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._arrays import as_choice
from ..nn import Layer
from ..nn._checks import as_samples, blocks, check_finite
from . import _integer as integer
from . import _steps as step
from ._forms import pruned
from ._integer import LARGEST
from ._lowering import as_network, check_parameters, digest, lowered
from ._rounding import rounded

BITS = {"int8": 8, "int16": 16}
HEADROOM = 1.25  # what samples may reach, by what those of the calibration did
DEVIATIONS = 6  # of a coordinate that its range holds at least
FEW = 4  # terms of a row up to which the scales of its inputs may differ
NARROWEST = 1 / 2  # least range of an output, of the largest of its step

LAYERS = {step.Norm: "LayerNorm", step.Added: "Residual", step.Everywhere: "PointWise"}


@dataclass(frozen=True, eq=False)
class Quantized:
    """A network in integer arithmetic: int16 numbers, weights of `bits` bits.

    Attributes
    ----------
    bits : {8, 16}
    input_scale, output_scale : float
        The integer input is x times the first; the output y its integer by the second.
    n_in, n_out : int
    """

    steps: tuple
    bits: int
    input_scale: float
    output_scale: float
    n_in: int
    n_out: int
    digest: str

    def integers(self, X: ArrayLike) -> NDArray:
        """Outputs (batch, n_out), int16, for inputs (batch, n_in), int16."""
        X = np.asarray(X)
        if X.dtype != np.int16 or X.ndim != 2 or X.shape[1] != self.n_in:
            raise ValueError(
                f"X must be an array (batch, {self.n_in}) of int16, got {X.dtype} "
                f"{X.shape}"
            )
        Y = np.empty((len(X), self.n_out), np.int16)
        for rows in blocks(X):
            Y[rows] = step.run(self.steps, X[rows].astype(np.int64))
        return Y

    def _updated(self, net):
        """The same with the weights that its network has now; scales are kept."""
        steps = pruned(lowered(as_network(net), net.n_in))
        pairs = integer.paired(self.steps, steps)
        made = tuple(integer.updated(*pair, self.bits) for pair in pairs)
        return replace(self, steps=made, digest=digest(net))

    def __repr__(self):
        return f"Quantized({self.n_in} -> {self.n_out}, int{self.bits})"


def quantize(net: Layer, X: ArrayLike, *, dtype: str = "int8") -> Quantized:
    """Make a network integer, calibrated on samples.

    Parameters
    ----------
    net : Layer
        Of dense, butterfly, gadget, ReLU and dropout layers, with biases.
    X : array, shape (samples, n_in)
        Typical inputs, real and finite: the ranges of all numbers on the way, with a
        quarter more, are taken from them. What exceeds these saturates.
    dtype : {"int8", "int16"}
        Of the weights. Numbers are int16, sums int32, or int64 where 16-bit weights
        need it.

    Returns
    -------
    Quantized
        For `emulate` and `to_c`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or a layer cannot be done in integers.

    Notes
    -----
    Each coordinate between two linear steps has a scale of its own, which costs nothing
    at run time: it is the freedom to rescale between factors (Gribonval, Mary and
    Riccietti, 2023, hal-04125381). A row of weights gets the scale at which it is
    closest to integers. Each step is sums of products, a shift, and saturation.

    Examples
    --------
    >>> import numpy as np
    >>> from fastbutterfly import export, nn
    >>> net = nn.ButterflyLinear(16, 16, rng=0)
    >>> X = np.random.default_rng(0).standard_normal((100, 16))
    >>> model = export.quantize(net, X)
    >>> bool(np.abs(export.emulate(model, X) - net(X)).max() < 0.02)
    True
    """
    net = as_network(net)
    bits = BITS[as_choice("dtype", dtype, {name: name for name in BITS})]
    X = as_samples("X", X, net.n_in)
    if not len(X):
        raise ValueError("X must hold at least one sample, got none")
    check_finite("X", X, np.dtype(np.float32))
    check_parameters(net, float)
    maker = _Maker(pruned(lowered(net, net.n_in)), X.astype(float), bits)
    first, last = maker.input_scale, maker.output_scale
    if not _usable(first) or not _usable(last):
        raise ValueError(
            "X must hold numbers whose range, and that of the outputs, float32 holds "
            f"with a margin, got up to {np.abs(X).max()}"
        )
    return Quantized(
        tuple(maker.made), bits, first, last, net.n_in, net.n_out, digest(net)
    )


def emulate(model: Quantized, X: ArrayLike) -> NDArray:
    """Compute what the exported integer code computes, to the bit.

    Parameters
    ----------
    model : Quantized
    X : array, shape (batch, n_in)
        Real; rounded to float32, as the code takes it. A part at a time is computed.

    Returns
    -------
    array, shape (batch, n_out), float32

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    """
    if not isinstance(model, Quantized):
        raise TypeError(f"model must be what quantize returns, got {model!r}")
    X = as_samples("X", X, model.n_in)
    y = np.empty((len(X), model.n_out), np.float32)
    for rows in blocks(X):
        y[rows] = model.integers(integer.to_integers(X[rows], model.input_scale))
    y *= np.float32(1 / model.output_scale)
    return y


def has_rules(steps):
    """Whether all steps can be done in integers."""
    linear = step.Matrix, step.Blocks, step.Pairs, step.Bias, step.Spread, step.Pick
    return all(
        isinstance(one, (*linear, step.Transpose))
        or (isinstance(one, step.Activation) and one.name == "ReLU")
        for one in steps
    )


def _usable(scale):
    """Whether C can hold a scale and its reciprocal, as normal float."""
    limits = np.finfo(np.float32)
    return limits.tiny <= min(scale, 1 / scale) and max(scale, 1 / scale) < limits.max


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


class _Maker:
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
