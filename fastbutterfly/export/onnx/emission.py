"""Emission: steps become nodes of an ONNX graph; `emit` has a rule for each kind.

The graph has the small blocks of the layers of a group, and computes the large blocks
from them, by applying the layers to unit vectors: files stay small.
"""

from functools import singledispatch
from math import sqrt

import numpy as np

from ..steps import (
    Activation,
    Bias,
    Blocks,
    Matrix,
    Norm,
    Pick,
    PointwiseStep,
    ResidualStep,
    Spread,
)
from .grouping import Group


def emit_steps(steps, graph, x):
    """Add the nodes of steps to the graph; return the name of the output."""
    for step in steps:
        x = emit(step, graph, x)
    return x


@singledispatch
def emit(step, graph, x):
    """Add the nodes of a step to the graph; return the name of the output."""
    raise TypeError(f"ONNX has no rule for the step {type(step).__name__}")


@emit.register
def _(group: Group, graph, x):
    if group.is_matrix:
        return graph.op("MatMul", x, _matrix(group, graph))
    a, b, c, d = group.a, group.b, group.c, group.d
    blocks = _blocks(group, graph)
    # Two swaps of neighbouring axes each way: these are fast, other orders are not.
    x = graph.reshape(x, 0, a, c, d)
    if d > 1:
        x = graph.op("Transpose", x, perm=[0, 1, 3, 2])
    x = graph.reshape(x, 0, a * d, c)
    x = graph.op("Transpose", x, perm=[1, 0, 2])
    # This changes nothing, but keeps onnxruntime from fusing: 1.20 could not run the
    # fused node in float64, and crashed without samples.
    x = graph.reshape(x, a * d, -1, c)
    x = graph.op("MatMul", x, blocks)
    x = graph.op("Transpose", x, perm=[1, 0, 2])
    if d > 1:
        x = graph.reshape(x, 0, a, d, b)
        x = graph.op("Transpose", x, perm=[0, 1, 3, 2])
    return graph.reshape(x, 0, group.n_out)


def _matrix(group, graph):
    """The matrix (n_in, n_out) of a group, from unit vectors of its smaller side."""
    if group.n_in <= group.n_out:
        return _apply_to_unit_vectors(group, graph)
    images = _apply_to_unit_vectors(group.transposed(), graph)
    return graph.op("Transpose", images, perm=[1, 0])


def _blocks(group, graph):
    """The blocks (a d, c, b) of a group."""
    a, b, c, d = group.a, group.b, group.c, group.d
    y = graph.reshape(_apply_to_unit_vectors(group, graph), c, a, b, d)
    y = graph.op("Transpose", y, perm=[1, 3, 0, 2])
    return graph.reshape(y, a * d, c, b)


def _apply_to_unit_vectors(group, graph):
    """The outputs (c, n_out) for c samples, each of a d copies of a unit vector.

    The a d blocks act on separate coordinates: so c samples show the columns of all.
    """
    a, c, d = group.a, group.c, group.d
    y = graph.op("EyeLike", graph.op("ConstantOfShape", graph.integers([c, c])))
    y = graph.op("Cast", y, to=graph.element_type)
    if not group.is_matrix:
        y = graph.reshape(y, c, 1, c, 1)
        y = graph.op("Expand", y, graph.integers([c, a, c, d]))
        y = graph.reshape(y, c, group.n_in)
    return emit_steps(group.layers, graph, y)


@emit.register
def _(step: Blocks, graph, x):
    a, b, c, d = step.weights.shape
    x = graph.reshape(x, 0, a, 1, c, d)
    x = graph.op("Mul", x, graph.weights(step.weights, f"blocks_{a}_{b}x{c}_{d}"))
    x = graph.op("ReduceSum", x, graph.integers([3]), keepdims=0)
    return graph.reshape(x, 0, step.n_out)


@emit.register
def _(step: Matrix, graph, x):
    return graph.op("MatMul", x, graph.weights(step.weights.T, "weights"))


@emit.register
def _(step: Spread, graph, x):
    n = step.n_in
    padded = graph.op("Pad", x, graph.integers([0, 0, 0, step.n_out - n]))
    if np.array_equal(step.index, np.arange(n)):
        return padded
    padded = graph.op("Pad", x, graph.integers([0, 0, 0, 1]))  # x, then a zero
    source = np.full(step.n_out, n)
    source[step.index] = np.arange(n)
    return graph.op("Gather", padded, graph.integers(source, np.int32), axis=1)


@emit.register
def _(step: Pick, graph, x):
    return graph.op("Gather", x, graph.integers(step.index, np.int32), axis=1)


@emit.register
def _(step: Bias, graph, x):
    return graph.op("Add", x, graph.weights(step.values, "bias"))


@emit.register
def _(step: Activation, graph, x):
    if step.name == "ReLU":
        return graph.op("Relu", x)
    if step.name != "GELU":
        return graph.op(step.name, x)
    if graph.dtype != np.float32:
        raise TypeError(
            f"net has a layer GELU, which ONNX's runtimes have no {graph.dtype} for; "
            "export it with dtype='float32'"
        )
    y = graph.op("Mul", x, graph.weights(sqrt(0.5), "root_half"))
    y = graph.op("Add", graph.op("Erf", y), graph.weights(1, "one"))
    y = graph.op("Mul", x, y)
    return graph.op("Mul", y, graph.weights(0.5, "half"))


@emit.register
def _(step: Norm, graph, x):
    z = graph.op("Sub", x, graph.op("ReduceMean", x, axes=[-1], keepdims=1))
    variance = graph.op("Mul", z, z)
    variance = graph.op("ReduceMean", variance, axes=[-1], keepdims=1)
    variance = graph.op("Add", variance, graph.weights(step.eps, "eps"))
    z = graph.op("Div", z, graph.op("Sqrt", variance))
    z = graph.op("Mul", z, graph.weights(step.scale, "scale"))
    return graph.op("Add", z, graph.weights(step.shift, "shift"))


@emit.register
def _(step: ResidualStep, graph, x):
    return graph.op("Add", x, emit_steps(step.steps, graph, x))


@emit.register
def _(step: PointwiseStep, graph, x):
    n_in, n_out = step.steps[0].n_in, step.steps[-1].n_out
    x = graph.reshape(x, 0, n_in, step.positions)
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    x = graph.reshape(x, -1, n_in)
    y = emit_steps(step.steps, graph, x)
    y = graph.reshape(y, -1, step.positions, n_out)
    y = graph.op("Transpose", y, perm=[0, 2, 1])
    return graph.reshape(y, 0, n_out * step.positions)
