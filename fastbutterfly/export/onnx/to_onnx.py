"""to_onnx: a network as ONNX, in standard operators."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ... import __version__
from ..._base.arguments import as_choice
from ..._base.files import as_path, write_contents
from ...nn import Layer
from ..lowering import as_network, check_parameters, digest, lowered
from .graph import IR_VERSION, OPSET, Graph, add

DTYPES = {"float32": np.float32, "float64": np.float64}
LARGEST = 2**31 - 1  # bytes of a protocol buffer


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
        A file of that name is replaced; its folder is made if missing.
    dtype : {"float32", "float64"}, optional
        Of inputs, outputs and weights. None: that of the network.
    name : str
        Of the graph.
    metadata : mapping of str to str, optional
        Written into the file's metadata, beside the hash of the network, which has
        the key ``"network"``.

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
        If the file cannot be written; none is left by halves.

    Notes
    -----
    Opset 13, which runtimes have had since 2020. The input ``x`` has the shape (batch,
    n_in), the output ``y`` (batch, n_out), for any batch. A butterfly's
    layers are in the file as they are: it is little larger than their weights. From
    them, and from nothing else, the graph makes a few layers of large blocks, which are
    fast as products of matrices: a runtime that folds constants, as onnxruntime, does
    so once, when it loads the model; others do it at each call.

    GELU is made of ``Erf``, which runtimes have for float32 only: in float64 it is
    refused.

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
    onnx = _imported()
    graph = Graph(dtype)
    y = _network(graph, net, "x")
    if graph.size > LARGEST:
        raise ValueError(
            f"net must have less than 2 GiB of numbers for ONNX, got {graph.size} bytes"
        )
    model = onnx.helper.make_model(
        graph.made(name, net.n_in, net.n_out, y),
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


def _network(graph, net, x):
    """Add a network layer by layer, so that names tell the layer."""
    layers, n = getattr(net, "layers", None), net.n_in
    if layers is None or type(net).__name__ != "Sequential":
        layers = (net,)
    for i, layer in enumerate(layers):
        graph.scope = f"{i}.{type(layer).__name__}"
        x = add(graph, lowered(layer, n), x)
        n = layer.n_out or n
    return x


def _as_texts(name, value):
    wrong = not isinstance(value, Mapping) or [
        item for pair in value.items() for item in pair if not isinstance(item, str)
    ]
    if wrong:
        raise TypeError(f"{name} must be a mapping of str to str, got {value!r}")
    if "network" in value:
        raise ValueError(f"{name} must not have the key 'network', the hash has it")
    return dict(value)


def _imported():
    try:
        import onnx  # optional, and slow to import
        import onnx.checker
        import onnx.helper
    except ImportError as error:
        raise ImportError(
            "export.to_onnx needs the package onnx: pip install 'fastbutterfly[onnx]'"
        ) from error
    return onnx
