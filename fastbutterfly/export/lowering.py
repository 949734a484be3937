"""Lowering: a network becomes steps; `lowered` is where a layer gets its rule."""

import copy
import hashlib
import json
from dataclasses import replace
from functools import singledispatch

import numpy as np

from .. import nn
from ..nn.layers.activations import Activation as ActivationLayer
from . import steps as step

COMPUTE = "forward", "_run", "_value"  # methods that make outputs


def as_network(net):
    """A layer that has a size, without computations of users' own in it, or raise."""
    if not isinstance(net, nn.Layer) or net.n_in is None:
        raise TypeError(f"net must be a layer with a size, got {net!r}")
    _check_forward(net)
    return net


def _check_forward(layer):
    """Raise if a rule would be taken for the layer of which this one is a subclass."""
    kind = type(layer)
    if kind not in lowered.registry:
        for method in (getattr(kind, name, None) for name in COMPUTE):
            if method and not method.__module__.startswith(f"{nn.__name__}."):
                raise _without_rule(layer)
    for inner in getattr(layer, "layers", ()):
        _check_forward(inner)


def check_parameters(net, dtype):
    """Raise if a network has a number that is not finite in the dtype."""
    for numbers in (net.parameters, net._fixed_arrays()[0]):
        with np.errstate(over="ignore"):
            bad = ~np.isfinite(numbers.astype(dtype))
        if bad.any():
            raise ValueError(
                f"net must have parameters finite in {np.dtype(dtype)}, "
                f"has {numbers[bad][0]}"
            )


def digest(net):
    """Hash of a network's structure and numbers."""
    found = hashlib.sha256(json.dumps(net._describe()).encode())
    for array in (net.parameters, *net._fixed_arrays()):
        found.update(np.ascontiguousarray(array).tobytes())
    return f"sha256 {found.hexdigest()[:16]}"


@singledispatch
def lowered(layer, n):
    """Return the steps of a layer that takes n numbers, as a list."""
    raise _without_rule(layer)


def _without_rule(layer):
    known = sorted(kind.__name__ for kind in lowered.registry if kind is not object)
    return TypeError(
        f"net has a layer without an export rule, {layer!r}; there are rules for "
        f"{', '.join(known)}"
    )


@lowered.register
def _(layer: nn.Sequential, n):
    steps = []
    for inner in layer.layers:
        found = lowered(inner, n)
        if found and not isinstance(inner, nn.Sequential):
            steps.append(step.Mark(repr(inner), n))
        steps += found
        n = inner.n_out or n
    return steps


@lowered.register
def _(layer: nn.Residual, n):
    return [step.Added(tuple(lowered.dispatch(nn.Sequential)(layer, n)), n)]


@lowered.register
def _(layer: nn.PointWise, n):
    steps = lowered.dispatch(nn.Sequential)(layer, n // layer.positions)
    return [step.Everywhere(tuple(steps), layer.positions)] if steps else []


@lowered.register
def _(layer: nn.Dense, n):
    return [step.Matrix(layer.weights.T.copy()), *_bias(layer)]


@lowered.register(nn.ButterflyLinear)
@lowered.register(nn.OrthogonalLinear)
def _(layer, n):
    return [*of_operator(layer.operator, layer.dtype), *_bias(layer)]


@lowered.register
def _(layer: nn.LayerNorm, n):
    return [step.Norm(layer.scale.copy(), layer.shift.copy(), layer.eps)]


@lowered.register
def _(layer: ActivationLayer, n):
    kinds = ((kind.__name__, kind) for kind in type(layer).__mro__)
    name = next(name for name, kind in kinds if getattr(nn, name, None) is kind)
    return [step.Activation(name, n)]


@lowered.register
def _(layer: nn.Dropout, n):
    return []


def _bias(layer):
    return [] if layer.bias is None else [step.Bias(layer.bias.copy())]


def of_operator(B, dtype):
    """Steps of a butterfly, with all of its blocks."""
    steps, layers = [], list(zip(B.blocks, B.pattern, strict=True))
    if B.inputs is not None:
        n = layers[0][1][0] * layers[0][1][2] * layers[0][1][3] if layers else 1
        steps.append(step.Spread(np.asarray(B.inputs), n))
    for blocks, (a, b, c, d) in layers:
        blocks = np.asarray(blocks, dtype).reshape(a, d, b, c)
        steps.append(step.Blocks(np.ascontiguousarray(blocks.transpose(0, 2, 3, 1))))
    if B.outputs is not None:
        n = steps[-1].n_out
        steps.append(step.Pick(np.asarray(B.outputs), n))
    return steps


def places(net):
    """Its steps, with weights that tell which parameter each is, -1 for a fixed one."""
    probe = copy.deepcopy(net)
    size = probe.parameters.size
    if size >= 1 << np.finfo(probe.dtype).nmant:
        raise ValueError(f"net has too many parameters to be told apart, {size}")
    found = []
    for numbers in (0, 1 + np.arange(size)):
        probe.parameters[...] = numbers
        found.append(lowered(probe, net.n_in))
    return [_placed(*pair) for pair in zip(*found, strict=True)]


def _placed(fixed, one):
    if not hasattr(one, "weights"):
        return one
    numbers = one.weights - fixed.weights
    if np.any(numbers != np.rint(numbers)):
        raise TypeError("net must not have weights that are functions of parameters")
    return replace(one, weights=numbers.astype(int) - 1)
