"""Steps become nodes of an ONNX graph; `emit` is where a step gets its rule.

Consecutive layers of small blocks are a layer of larger blocks. What these are, the
graph computes from the small ones, by applying them to unit vectors.
"""

from functools import singledispatch
from itertools import groupby
from math import gcd, sqrt

import numpy as np

from .. import steps as step

OPSET, IR_VERSION = 13, 7
# What a product by blocks costs beside its multiply-adds, in multiply-adds a number:
# samples are transposed for it. Measured with onnxruntime.
PASS = 128


class Graph:
    """Nodes and constants of one dtype; `scope` begins the names of new ones."""

    def __init__(self, dtype):
        self.dtype, self.scope, self.size = dtype, "", 0
        self.nodes, self.constants, self.names = [], {}, {}

    @property
    def kind(self):
        """The dtype as ONNX numbers it."""
        from onnx.helper import np_dtype_to_tensor_dtype

        return np_dtype_to_tensor_dtype(self.dtype)

    def name(self, kind):
        """Make a name in the scope that is not taken."""
        full = f"{self.scope}/{kind}"
        count = self.names[full] = self.names.get(full, 0) + 1
        return full if count == 1 else f"{full}_{count}"

    def op(self, kind, *inputs, **attributes):
        """Add a node; return the name of what it computes."""
        from onnx.helper import make_node

        name = self.name(kind)
        self.nodes.append(make_node(kind, inputs, [name], name, **attributes))
        return name

    def numbers(self, values, name):
        """Add a constant of the graph's dtype; return its name."""
        return self._constant(np.asarray(values, self.dtype), name)

    def integers(self, values, dtype=np.int64):
        """Add a constant shape, axis or index; equal ones are shared."""
        array = np.asarray(values, dtype)
        for name, known in self.constants.items():
            if known.dtype == dtype and np.array_equal(known, array):
                return name
        scope, self.scope = self.scope, "constant"
        text = "x".join(map(str, array)) if array.size <= 5 else "index"
        name = self._constant(array, text)
        self.scope = scope
        return name

    def _constant(self, array, name):
        name = self.name(name)
        self.constants[name], self.size = array, self.size + array.nbytes
        return name

    def reshape(self, x, *shape):
        """0 keeps a size, -1 is what is left."""
        return self.op("Reshape", x, self.integers(shape))

    def made(self, name, n_in, n_out, y):
        """The graph from x, (batch, n_in), to what has the name y now."""
        from onnx import helper, numpy_helper

        if not self.nodes:
            y = self.op("Identity", "x")
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = ["y" if one == y else one for one in names]
        ends = (
            [helper.make_tensor_value_info(end, self.kind, ["batch", n])]
            for end, n in (("x", n_in), ("y", n_out))
        )
        arrays = self.constants.items()
        constants = [numpy_helper.from_array(array, name) for name, array in arrays]
        return helper.make_graph(self.nodes, name, *ends, constants)


def add(graph, steps, x):
    """Add steps; return the name of what they make of x."""
    for one in grouped(steps):
        x = emit(one, graph, x)
    return x


class Group:
    """Consecutive layers of blocks, as one layer of the pattern (a, b, c, d).

    With a selection of coordinates among them it is a matrix, a = d = 1.
    """

    def __init__(self, layers):
        self.layers, self.n_in, self.n_out = layers, layers[0].n_in, layers[-1].n_out
        self.a = self.d = 1
        if all(isinstance(one, step.Blocks) for one in layers):
            shapes = [one.weights.shape for one in layers]
            self.a = gcd(*(a for a, *_ in shapes))
            self.d = gcd(*(d for *_, d in shapes))
        self.c, self.b = (n // (self.a * self.d) for n in (self.n_in, self.n_out))
        self.is_matrix = self.a * self.d == 1
        self.cost = self.a * self.b * self.c * self.d
        if not self.is_matrix:
            self.cost += PASS * max(self.n_in, self.n_out)


LINEAR = step.Spread, step.Blocks, step.Pick


def grouped(steps):
    """Steps with butterflies in the groups that cost the least."""
    found, steps = [], [one for one in steps if not isinstance(one, step.Mark)]
    for linear, run in groupby(steps, lambda one: isinstance(one, LINEAR)):
        found += (_best if linear else list)([*run])
    return found


def _best(layers):
    best = [(0, [])]  # for the first i layers: cost, groups
    for stop in range(1, len(layers) + 1):
        ways = []
        for start in range(stop):
            cost, before = best[start]
            group = _as_group(layers[start:stop])
            more = PASS * max(group.n_in, group.n_out)
            cost += getattr(group, "cost", more)
            ways.append((cost, [*before, group]))
        best.append(min(ways, key=lambda way: way[0]))
    return best[-1][1]


def _as_group(layers):
    """A group, or the one selection of coordinates that it would be."""
    alone = len(layers) == 1 and not isinstance(layers[0], step.Blocks)
    return layers[0] if alone else Group(layers)


@singledispatch
def emit(one, graph, x):
    """Add the nodes of a step to the graph; return the name of the output."""
    raise TypeError(f"ONNX has no rule for the step {type(one).__name__}")


@emit.register
def _(one: Group, graph, x):
    if one.is_matrix:
        return graph.op("MatMul", x, _matrix(one, graph))
    a, b, c, d = one.a, one.b, one.c, one.d
    blocks = _blocks(one, graph)
    # Two swaps of neighbouring axes each way: these are fast, other orders are not.
    x = graph.reshape(x, 0, a, c, d)
    if d > 1:
        x = graph.op("Transpose", x, perm=[0, 1, 3, 2])
    x = graph.reshape(x, 0, a * d, c)
    x = graph.op("Transpose", x, perm=[1, 0, 2])
    # This changes nothing, but keeps onnxruntime from fusing: 1.20 could not run what
    # came of it in float64, and crashed without samples.
    x = graph.reshape(x, a * d, -1, c)
    x = graph.op("MatMul", x, blocks)
    x = graph.op("Transpose", x, perm=[1, 0, 2])
    if d > 1:
        x = graph.reshape(x, 0, a, d, b)
        x = graph.op("Transpose", x, perm=[0, 1, 3, 2])
    return graph.reshape(x, 0, one.n_out)


def _matrix(one, graph):
    """The matrix (n_in, n_out) of a group, by the shorter side's unit vectors."""
    if one.n_in <= one.n_out:
        return _images(one, graph)
    turned = Group([transposed(layer) for layer in reversed(one.layers)])
    return graph.op("Transpose", _images(turned, graph), perm=[1, 0])


def _blocks(one, graph):
    """The blocks (a d, c, b) of a group."""
    a, b, c, d = one.a, one.b, one.c, one.d
    y = graph.reshape(_images(one, graph), c, a, b, d)
    y = graph.op("Transpose", y, perm=[1, 3, 0, 2])
    return graph.reshape(y, a * d, c, b)


def _images(one, graph):
    """What the layers make of c samples, each of a d copies of a unit vector."""
    a, c, d = one.a, one.c, one.d
    y = graph.op("EyeLike", graph.op("ConstantOfShape", graph.integers([c, c])))
    y = graph.op("Cast", y, to=graph.kind)
    if not one.is_matrix:
        y = graph.reshape(y, c, 1, c, 1)
        y = graph.op("Expand", y, graph.integers([c, a, c, d]))
        y = graph.reshape(y, c, one.n_in)
    for layer in one.layers:
        y = emit(layer, graph, y)
    return y


def transposed(layer):
    """The layer whose matrix is the transpose."""
    if isinstance(layer, step.Spread):
        return step.Pick(layer.index, layer.n_out)
    if isinstance(layer, step.Pick):
        return step.Spread(layer.index, layer.n_in)
    return step.Blocks(layer.weights.swapaxes(1, 2))


@emit.register
def _(one: step.Blocks, graph, x):
    a, b, c, d = one.weights.shape
    x = graph.reshape(x, 0, a, 1, c, d)
    x = graph.op("Mul", x, graph.numbers(one.weights, f"blocks_{a}_{b}x{c}_{d}"))
    x = graph.op("ReduceSum", x, graph.integers([3]), keepdims=0)
    return graph.reshape(x, 0, one.n_out)


@emit.register
def _(one: step.Matrix, graph, x):
    return graph.op("MatMul", x, graph.numbers(one.weights.T, "weights"))


@emit.register
def _(one: step.Spread, graph, x):
    n = one.n_in
    padded = graph.op("Pad", x, graph.integers([0, 0, 0, one.n_out - n]))
    if np.array_equal(one.index, np.arange(n)):
        return padded
    padded = graph.op("Pad", x, graph.integers([0, 0, 0, 1]))
    source = np.full(one.n_out, n)
    source[one.index] = np.arange(n)
    return graph.op("Gather", padded, graph.integers(source, np.int32), axis=1)


@emit.register
def _(one: step.Pick, graph, x):
    return graph.op("Gather", x, graph.integers(one.index, np.int32), axis=1)


@emit.register
def _(one: step.Bias, graph, x):
    return graph.op("Add", x, graph.numbers(one.values, "bias"))


@emit.register
def _(one: step.Activation, graph, x):
    if one.name == "ReLU":
        return graph.op("Relu", x)
    if one.name != "GELU":
        return graph.op(one.name, x)
    if graph.dtype != np.float32:
        raise TypeError(
            f"net has a layer GELU, which ONNX's runtimes have no {graph.dtype} for; "
            "export it with dtype='float32'"
        )
    y = graph.op("Mul", x, graph.numbers(sqrt(0.5), "root_half"))
    y = graph.op("Add", graph.op("Erf", y), graph.numbers(1, "one"))
    y = graph.op("Mul", x, y)
    return graph.op("Mul", y, graph.numbers(0.5, "half"))


@emit.register
def _(one: step.Norm, graph, x):
    z = graph.op("Sub", x, graph.op("ReduceMean", x, axes=[-1], keepdims=1))
    variance = graph.op("Mul", z, z)
    variance = graph.op("ReduceMean", variance, axes=[-1], keepdims=1)
    variance = graph.op("Add", variance, graph.numbers(one.eps, "eps"))
    z = graph.op("Div", z, graph.op("Sqrt", variance))
    z = graph.op("Mul", z, graph.numbers(one.scale, "scale"))
    return graph.op("Add", z, graph.numbers(one.shift, "shift"))


@emit.register
def _(one: step.Added, graph, x):
    return graph.op("Add", x, add(graph, one.steps, x))


@emit.register
def _(one: step.Everywhere, graph, x):
    n_in, n_out = one.steps[0].n_in, one.steps[-1].n_out
    x = graph.reshape(x, 0, n_in, one.positions)
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    x = graph.reshape(x, -1, n_in)
    y = add(graph, one.steps, x)
    y = graph.reshape(y, -1, one.positions, n_out)
    y = graph.op("Transpose", y, perm=[0, 2, 1])
    return graph.reshape(y, 0, n_out * one.positions)
