"""quantize: a network in integers; emulate: what its C code computes, to the bit."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._base.arguments import as_choice
from ...nn import Layer
from ...nn.arguments import as_samples, blocks, check_finite
from ..lowering import as_network, check_parameters, digest
from ..passes import pruned_steps
from ..steps import apply_steps
from . import steps as integer
from .calibration import calibrate

BITS = {"int8": 8, "int16": 16}


@dataclass(frozen=True, eq=False)
class Quantized:
    """A network in integer arithmetic: int16 activations, weights of `bits` bits.

    Attributes
    ----------
    bits : {8, 16}
    input_scale, output_scale : float
        The integer input is round(x * input_scale); the output y is the integer output
        divided by output_scale.
    n_in, n_out : int
    steps : tuple
        The integer steps that compute the outputs.
    digest : str
        Hash of the network that was quantized.
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
            Y[rows] = apply_steps(self.steps, X[rows].astype(np.int64))
        return Y

    def __repr__(self):
        return f"Quantized({self.n_in} -> {self.n_out}, int{self.bits})"


def quantize(net: Layer, X: ArrayLike, *, dtype: str = "int8") -> Quantized:
    """Make a network integer, calibrated on samples.

    Parameters
    ----------
    net : Layer
        Of dense, butterfly, gadget, ReLU and dropout layers, with biases.
    X : array, shape (samples, n_in)
        Typical inputs, real and finite. They give the ranges of inputs, outputs and all
        activations, with a quarter more; values beyond these saturate.
    dtype : {"int8", "int16"}
        Of the weights. Activations are int16, sums int32, or int64 where 16-bit weights
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
    1. Lower the network to steps, and leave out blocks that no output depends on.
    2. Send the samples through the steps, and measure the range of each coordinate.
    3. Round each row of weights with the scale at which it is closest to integers. Each
       coordinate between two linear steps has a scale of its own, which costs nothing
       at run time: it is the freedom to rescale between factors (Gribonval, Mary and
       Riccietti, 2023, hal-04125381).

    Each integer step is sums of products, a shift, and saturation.

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
    return quantize_steps(net, pruned_steps(net), X, bits)


def quantize_steps(net, steps, X, bits):
    """Make the pruned steps of a network integer, or raise; see `quantize`."""
    X = as_samples("X", X, net.n_in)
    if not len(X):
        raise ValueError("X must hold at least one sample, got none")
    check_finite("X", X, np.dtype(np.float32))
    check_parameters(net, float)
    steps, *scales = calibrate(steps, X.astype(float), bits)
    if not all(map(_usable, scales)):
        raise ValueError(
            "X must hold numbers whose range, and that of the outputs, float32 holds "
            f"with a margin, got up to {np.abs(X).max()}"
        )
    return Quantized(tuple(steps), bits, *scales, net.n_in, net.n_out, digest(net))


def requantize(model, net):
    """The model with the present weights of its network; scales are kept."""
    pairs = integer.pair_with(model.steps, pruned_steps(as_network(net)))
    steps = tuple(integer.requantize(*pair, model.bits) for pair in pairs)
    return replace(model, steps=steps, digest=digest(net))


def emulate(model: Quantized, X: ArrayLike) -> NDArray:
    """Compute what the exported integer code computes, to the bit.

    Parameters
    ----------
    model : Quantized
    X : array, shape (batch, n_in)
        Real; rounded to float32, which the C code takes. Large batches are computed in
        blocks of rows.

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
    """Whether a scale and its reciprocal are normal numbers in float32."""
    limits = np.finfo(np.float32)
    return limits.tiny <= min(scale, 1 / scale) and max(scale, 1 / scale) < limits.max
