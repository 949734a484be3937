"""load: read a network that ``net.save(path)`` wrote.

The file (see `container.py`) has a header in JSON::

    {"format": "fastbutterfly network", "version": 1, "dtype": "float32", "layer": L}

where L describes a layer, one of

- {"type": "Sequential", "layers": [L, ...]}
- {"type": "ButterflyDense", "layers": [L, L, L]}: butterfly, dense, butterfly
- {"type": "EncoderDecoder", "layers": [L, L, L]}: butterfly, dense, dense
- {"type": "ButterflyLinear", "n", "stride", "n_in", "n_out", "bias", "trainable"}, or
  with "pattern": [[a, b, c, d], ...] instead of "n" and "stride"
- {"type": "OrthogonalLinear", "n", "bias"}
- {"type": "Dense", "n_in", "n_out", "bias"}
- {"type": "LayerNorm", "n", "eps"}
- {"type": "Residual", "layers": [L, ...]}
- {"type": "PointWise", "layers": [L], "positions"}
- {"type": "Dropout", "rate"}
- {"type": "ReLU"}, and likewise "GELU", "Tanh", "Sigmoid"

and three flat arrays from which the layers take their elements in this order. `Dense`:
n_in * n_out weights, then n_out for a bias, from the parameters. `LayerNorm`: n
scales, then n shifts, from the parameters. `ButterflyLinear`:
2 n log2(n) weights, or those of the
pattern, from the parameters, or from the constants if it is not trainable;
n_out for a bias from the parameters; n_in coordinates that the input fills, then n_out
that the output keeps, from the indices. Nothing may be left over.

The header may have "about", an object of any content, which `about` returns.
FORMAT.md explains all this to other readers.
"""

import math
import os
from contextlib import contextmanager
from pathlib import Path

from . import container
from .layers.activations import GELU, ReLU, Sigmoid, Tanh
from .layers.butterfly_dense import ButterflyDense
from .layers.butterfly_linear import ButterflyLinear
from .layers.dense import Dense
from .layers.dropout import Dropout
from .layers.encoder_decoder import EncoderDecoder
from .layers.layer import Layer
from .layers.layer_norm import LayerNorm
from .layers.orthogonal_linear import OrthogonalLinear
from .layers.pointwise import PointWise
from .layers.residual import Residual
from .layers.sequential import Sequential

LAYERS = {
    kind.__name__: kind
    for kind in (
        Sequential,
        ButterflyDense,
        EncoderDecoder,
        ButterflyLinear,
        OrthogonalLinear,
        Dense,
        LayerNorm,
        Residual,
        PointWise,
        Dropout,
        ReLU,
        GELU,
        Tanh,
        Sigmoid,
    )
}


def load(path: str | os.PathLike) -> Layer:
    """Read a network from a file that its `save` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Layer
        Of the class that was saved, equal bit by bit.

    Raises
    ------
    ValueError
        If the file is damaged, of another kind, or of another version. Nothing in it
        is ever executed or unpickled.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastbutterfly import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.npz")
    ...     nn.Dense(3, 2).save(path)
    ...     nn.load(path)
    Dense(3, 2)
    """
    with _reading(path) as (header, *arrays):
        reader = _Reader(*arrays)
        layer = reader.layer(header.get("layer"))
        reader.finish()
    return layer


def about(path: str | os.PathLike) -> dict:
    """Read the dict `about` that `save` wrote with a network.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict
        Empty if none was given.

    Raises
    ------
    ValueError, OSError
        As for `load`.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastbutterfly import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "net.npz")
    ...     nn.Dense(3, 2).save(path, about={"classes": ["cat", "dog"]})
    ...     nn.about(path)
    {'classes': ['cat', 'dog']}
    """
    with _reading(path) as (header, *_):
        return container.as_about(header.get("about", {}))


@contextmanager
def _reading(path):
    """Give header and arrays of a file; errors in the block name the file."""
    content = Path(path).read_bytes()
    try:
        yield container.read(content)
    except (ValueError, *container.DAMAGE) as error:
        raise ValueError(
            f"{os.fspath(path)!r} is not a network that this version of fastbutterfly "
            f"can load: {error or type(error).__name__}"
        ) from error


class _Reader:
    """Hands out the arrays of a file piece by piece; raises when one is used up."""

    def __init__(self, parameters, constants, indices):
        self.dtype = parameters.dtype
        self._arrays = {
            "parameters": parameters,
            "constants": constants,
            "indices": indices,
        }

    def parameters(self, *shape):
        return self._take("parameters", shape)

    def constants(self, *shape):
        return self._take("constants", shape)

    def indices(self, *shape):
        return self._take("indices", shape)

    def layer(self, description):
        kind = description.get("type") if isinstance(description, dict) else None
        if not isinstance(kind, str) or kind not in LAYERS:
            known = ", ".join(LAYERS)
            raise ValueError(f"a layer must have a type among {known}, got {kind!r}")
        return LAYERS[kind]._restore(description, self)

    def finish(self):
        for name, array in self._arrays.items():
            if array.size:
                raise ValueError(f"{name} has {array.size} numbers too many")

    def _take(self, name, shape):
        array, size = self._arrays[name], math.prod(shape)
        if min(shape) < 0 or size > array.size:
            raise ValueError(
                f"{name} has {array.size} numbers left where a layer needs {shape}"
            )
        self._arrays[name] = array[size:]
        return array[:size].reshape(shape)
