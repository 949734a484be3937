"""An ONNX graph: nodes and constants, with names that tell the layer."""

import numpy as np


class Graph:
    """Nodes and constants of one dtype; names of new ones begin with `scope`."""

    def __init__(self, dtype):
        self.dtype, self.scope, self.size = dtype, "", 0
        self.nodes, self.constants, self.names = [], {}, {}

    @property
    def element_type(self):
        """The dtype as ONNX numbers it."""
        from onnx.helper import np_dtype_to_tensor_dtype

        return np_dtype_to_tensor_dtype(self.dtype)

    def name(self, kind):
        """Make a name in the scope that is not taken."""
        full = f"{self.scope}/{kind}"
        count = self.names[full] = self.names.get(full, 0) + 1
        return full if count == 1 else f"{full}_{count}"

    def op(self, kind, *inputs, **attributes):
        """Add a node; return the name of its output."""
        from onnx.helper import make_node

        name = self.name(kind)
        self.nodes.append(make_node(kind, inputs, [name], name, **attributes))
        return name

    def weights(self, values, name):
        """Add a constant of the graph's dtype; return its name."""
        return self._constant(np.asarray(values, self.dtype), name)

    def integers(self, values, dtype=np.int64):
        """Add a constant shape, axis or index, or return the name of an equal one."""
        array = np.asarray(values, dtype)
        for name, known in self.constants.items():
            if known.dtype == dtype and np.array_equal(known, array):
                return name
        scope, self.scope = self.scope, "constant"  # layers share it
        text = "x".join(map(str, array)) if array.size <= 5 else "index"
        name = self._constant(array, text)
        self.scope = scope
        return name

    def _constant(self, array, name):
        name = self.name(name)
        self.constants[name], self.size = array, self.size + array.nbytes
        return name

    def reshape(self, x, *shape):
        """Add a Reshape; size 0 keeps that of x, -1 is inferred."""
        return self.op("Reshape", x, self.integers(shape))

    def to_proto(self, name, n_in, n_out, output):
        """The GraphProto from x, (batch, n_in), to y, now named `output`."""
        from onnx import helper, numpy_helper

        if not self.nodes:
            output = self.op("Identity", "x")
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = ["y" if name == output else name for name in names]
        inputs, outputs = (
            [helper.make_tensor_value_info(tensor, self.element_type, ["batch", n])]
            for tensor, n in (("x", n_in), ("y", n_out))
        )
        arrays = self.constants.items()
        constants = [numpy_helper.from_array(array, name) for name, array in arrays]
        return helper.make_graph(self.nodes, name, inputs, outputs, constants)
