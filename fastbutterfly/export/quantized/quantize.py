"""quantize: a network in integers; emulate: what its C code computes, to the bit."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_choice
from ...nn import Layer
from ...nn.arguments import as_samples, blocks, check_finite
from .. import steps as step
from ..lowering import as_network, check_parameters, digest, lowered
from ..passes import pruned
from . import steps as integer
from .calibration import Maker

BITS = {"int8": 8, "int16": 16}


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
    maker = Maker(pruned(lowered(net, net.n_in)), X.astype(float), bits)
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


def _usable(scale):
    """Whether C can hold a scale and its reciprocal, as normal float."""
    limits = np.finfo(np.float32)
    return limits.tiny <= min(scale, 1 / scale) and max(scale, 1 / scale) < limits.max
