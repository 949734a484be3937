"""to_onnx: a network as ONNX, in standard operators."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ... import __version__
from ..._base.arguments import as_choice
from ..._base.files import as_path, write_contents
from ...nn import Layer, Sequential
from ..lowering import as_network, check_parameters, digest, lower_by_layer
from .emission import emit_steps
from .graph import Graph
from .grouping import group_layers

DTYPES = {"float32": np.float32, "float64": np.float64}
MAX_BYTES = 2**31 - 1  # of a protocol buffer
# Runtimes have had these since 2020; from 18 on, `axes` of reductions are inputs.
OPSET, IR_VERSION = 13, 7


def to_onnx(
    net: Layer,
    path: str | os.PathLike,
    *,
    dtype: str | None = None,
    name: str = "model",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a network as an ONNX file, for prediction.

    Parameters
    ----------
    net : Layer
    path : str or path
        An existing file is replaced; the folder is made if missing.
    dtype : {"float32", "float64"}, optional
        Of inputs, outputs and weights. None: that of the network.
    name : str
        Name of the graph.
    metadata : mapping of str to str, optional
        Metadata of the file, beside the hash of the network under the key
        ``"network"``.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a layer has no export rule, a parameter is
        not finite in `dtype`, or there are more than 2 GiB. Nothing is written.
    ImportError
        Without the package onnx, which ``pip install 'fastbutterfly[onnx]'`` brings.
    OSError
        If the file cannot be written; none is left incomplete.

    Notes
    -----
    Opset 13, which runtimes have had since 2020. The input ``x`` has the shape (batch,
    n_in), the output ``y`` (batch, n_out), for any batch. The file holds the layers of
    butterflies, and is little larger than their weights. From these, the graph computes
    a few layers of large blocks, which are fast matrix products. A runtime that folds
    constants, such as onnxruntime, does so once, when it loads the model; others do it
    at each call.

    GELU becomes ``Erf``, which runtimes have for float32 only; float64 is refused.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastbutterfly import export, nn
    >>> net = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 10))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = export.to_onnx(net, os.path.join(folder, "digits.onnx"))
    ...     path.name, path.stat().st_size < 4 * net.n_weights + 10_000
    ('digits.onnx', True)
    """
    net = as_network(net)
    dtype = np.dtype(as_choice("dtype", dtype or net.dtype.name, DTYPES))
    check_parameters(net, dtype)
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be text, got {name!r}")
    properties = {"network": digest(net), **_as_texts("metadata", metadata or {})}
    onnx = _import_onnx()
    graph, y = Graph(dtype), "x"
    for scope, steps in _lower_by_scope(net):
        graph.scope = scope
        y = emit_steps(group_layers(steps), graph, y)
    if graph.size > MAX_BYTES:
        raise ValueError(
            f"net must have less than 2 GiB of weights for ONNX, got {graph.size} bytes"
        )
    model = onnx.helper.make_model(
        graph.to_proto(name, net.n_in, net.n_out, y),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        producer_name="fastbutterfly",
        producer_version=__version__,
        ir_version=IR_VERSION,
        doc_string=repr(net),
    )
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model, full_check=True)
    path = as_path("path", path)
    write_contents(
        path.parent, {path.name: model.SerializeToString(deterministic=True)}
    )
    return path


def _lower_by_scope(net):
    """Pairs of a scope, which names a layer of a `Sequential`, and its steps."""
    layers = net.layers if type(net) is Sequential else [net]
    return [
        (f"{i}.{type(layer).__name__}", steps)
        for i, (layer, steps) in enumerate(lower_by_layer(layers, net.n_in))
    ]


def _as_texts(name, value):
    """A dict of str to str from a mapping, without the key of the hash."""
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for pair in value.items() for text in pair
    ):
        raise TypeError(f"{name} must be a mapping of str to str, got {value!r}")
    if "network" in value:
        raise ValueError(f"{name} must not have the key 'network', the hash has it")
    return dict(value)


def _import_onnx():
    try:
        import onnx  # optional, and slow to import
        import onnx.checker
        import onnx.helper
    except ImportError as error:
        raise ImportError(
            "export.to_onnx needs the package onnx: pip install 'fastbutterfly[onnx]'"
        ) from error
    return onnx
