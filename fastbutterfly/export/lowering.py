"""Lowering: a network becomes steps; `lower` has a rule for each kind of layer."""

import hashlib
import json
from functools import singledispatch

import numpy as np

from .. import nn
from ..nn.layers.activations import Activation as ActivationLayer
from .steps import (
    Activation,
    Bias,
    Blocks,
    LayerStart,
    Matrix,
    Norm,
    Pick,
    PointwiseStep,
    ResidualStep,
    Spread,
)

COMPUTE = "forward", "_run", "_value"  # methods that compute outputs


def as_network(net):
    """A layer with a size, whose parts all compute what their rules say, or raise."""
    if not isinstance(net, nn.Layer) or net.n_in is None:
        raise TypeError(f"net must be a layer with a size, got {net!r}")
    _check_forward(net)
    return net


def _check_forward(layer):
    """Raise if a subclass computes something else than the class of nn that it extends.

    The rules are for classes of nn, and would be wrong for it.
    """
    kind, public = type(layer), _public_class(layer)
    for name in COMPUTE:
        if getattr(kind, name, None) is not getattr(public, name, None):
            raise _without_rule(layer)
    for inner in getattr(layer, "layers", ()):
        _check_forward(inner)


def _public_class(layer):
    """The class of nn that a layer's class is, or extends.

    Compared by identity: a user's class may have any name.
    """
    classes = type(layer).__mro__
    return next(kind for kind in classes if getattr(nn, kind.__name__, None) is kind)


def check_parameters(net, dtype):
    """Raise if a parameter or fixed weight of a network is not finite in the dtype."""
    for values in (net.parameters, net._fixed_arrays()[0]):
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(values.astype(dtype))
        if bad.any():
            raise ValueError(
                f"net must have parameters finite in {np.dtype(dtype)}, "
                f"has {values[bad][0]}"
            )


def digest(net):
    """Hash of a network's structure and weights, which exported files carry."""
    sha = hashlib.sha256(json.dumps(net._describe()).encode())
    for array in (net.parameters, *net._fixed_arrays()):
        sha.update(np.ascontiguousarray(array).tobytes())
    return f"sha256 {sha.hexdigest()[:16]}"


@singledispatch
def lower(layer, n):
    """Return the list of steps of a layer that takes n elements a sample."""
    raise _without_rule(layer)


def _without_rule(layer):
    known = sorted(kind.__name__ for kind in lower.registry if kind is not object)
    return TypeError(
        f"net has a layer without an export rule, {layer!r}; there are rules for "
        f"{', '.join(known)}"
    )


def lower_by_layer(layers, n):
    """Return pairs of a layer and its steps; the first layer takes n elements."""
    pairs = []
    for layer in layers:
        pairs.append((layer, lower(layer, n)))
        n = layer.n_out or n
    return pairs


@lower.register
def _(layer: nn.Sequential, n):
    steps = []
    for inner, inner_steps in lower_by_layer(layer.layers, n):
        if inner_steps and not isinstance(inner, nn.Sequential):
            steps.append(LayerStart(repr(inner), inner_steps[0].n_in))
        steps += inner_steps
    return steps


@lower.register
def _(layer: nn.Residual, n):
    return [ResidualStep(tuple(lower.dispatch(nn.Sequential)(layer, n)), n)]


@lower.register
def _(layer: nn.PointWise, n):
    steps = lower.dispatch(nn.Sequential)(layer, n // layer.positions)
    return [PointwiseStep(tuple(steps), layer.positions)] if steps else []


@lower.register
def _(layer: nn.Dense, n):
    return [Matrix(layer.weights.T.copy()), *_bias(layer)]


@lower.register(nn.ButterflyLinear)
@lower.register(nn.OrthogonalLinear)
def _(layer, n):
    return [*_lower_operator(layer.operator, layer.dtype), *_bias(layer)]


@lower.register
def _(layer: nn.LayerNorm, n):
    return [Norm(layer.scale.copy(), layer.shift.copy(), layer.eps)]


@lower.register
def _(layer: ActivationLayer, n):
    return [Activation(_public_class(layer).__name__, n)]


@lower.register
def _(layer: nn.Dropout, n):
    return []


def _bias(layer):
    return [] if layer.bias is None else [Bias(layer.bias.copy())]


def _lower_operator(B, dtype):
    """Steps of a butterfly, with all of its blocks."""
    steps, layers = [], list(zip(B.blocks, B.pattern, strict=True))
    if B.inputs is not None:
        n = layers[0][1][0] * layers[0][1][2] * layers[0][1][3] if layers else 1
        steps.append(Spread(np.asarray(B.inputs), n))
    for blocks, (a, b, c, d) in layers:
        blocks = np.asarray(blocks, dtype).reshape(a, d, b, c)
        steps.append(Blocks(np.ascontiguousarray(blocks.transpose(0, 2, 3, 1))))
    if B.outputs is not None:
        steps.append(Pick(np.asarray(B.outputs), steps[-1].n_out))
    return steps
