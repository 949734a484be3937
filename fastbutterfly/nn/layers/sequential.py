"""Sequential: layers one after the other, with one buffer for all parameters."""

from itertools import accumulate, pairwise

import numpy as np

from ..arguments import take
from .layer import Layer


class Sequential(Layer):
    """A network: each layer takes the outputs of the one before. Itself a layer.

    Parameters
    ----------
    *layers : Layer
        In the order of application; consecutive sizes must fit, dtypes must agree. A
        layer belongs to one network only: its parameters move into the network's
        buffer.

    Attributes
    ----------
    layers : tuple of Layer

    Raises
    ------
    ValueError, TypeError
        If the layers do not fit together, or one already belongs to a network.

    Notes
    -----
    A subclass that overrides `forward` overrides `forward_training` too: `fit` calls
    the latter.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> net = nn.Sequential(nn.ButterflyLinear(64, 64), nn.ReLU(), nn.Dense(64, 10))
    >>> net.n_weights
    1482
    >>> net([[0.5] * 64] * 3).shape
    (3, 10)
    """

    _kinds: tuple[type, ...] | None = None  # of a subclass with certain layers

    def __init__(self, *layers: Layer):
        _check_layers(layers)
        self._set(layers)

    def _set(self, layers):
        sized = [layer for layer in layers if layer.n_in is not None]
        self.layers = tuple(layers)
        self.n_in, self.n_out = sized[0].n_in, sized[-1].n_out
        self.dtype = sized[0].dtype
        self.n_weights = sum(layer.n_weights for layer in layers)
        self._bind(np.empty(sum(layer.parameters.size for layer in layers), self.dtype))
        for layer in layers:
            layer._in_network = True

    def forward(self, x):
        """Return the last layer's output; what each layer saves is saved."""
        return self._run(x, None)

    def forward_training(self, x, rng):
        """Do as `forward`, with the layers as they are in training."""
        return self._run(x, rng)

    def _run(self, x, rng):
        """Go through the layers; as in a prediction if there is no rng."""
        saved = []
        for layer in self.layers:
            if rng is None:
                x, layer_saved = layer.forward(x)
            else:
                x, layer_saved = layer.forward_training(x, rng)
            saved.append(layer_saved)
        return x, saved

    def backward(self, saved, g, gparameters, *, input_gradient=True):
        """Go through the layers backwards, down to the first that has parameters."""
        parts = self._parts(gparameters)
        for i in reversed(range(len(self.layers))):
            needed = input_gradient or i > self._first_trained
            g = self.layers[i].backward(saved[i], g, parts[i], input_gradient=needed)
            if not needed:
                break
        return g

    def _bind(self, buffer):
        self._parameters = buffer
        sizes = [layer.parameters.size for layer in self.layers]
        ends = accumulate(sizes, initial=0)
        self._slices = [slice(*bounds) for bounds in pairwise(ends)]
        # The first layer with parameters: the gradient need not go below it.
        trained = (i for i, size in enumerate(sizes) if size)
        self._first_trained = next(trained, len(sizes))
        for layer, part in zip(self.layers, self._parts(buffer), strict=True):
            part[...] = layer.parameters
            layer._bind(part)

    def _parts(self, flat):
        return [flat[part] for part in self._slices]

    def _width(self):
        return sum(layer._width() for layer in self.layers)

    def _describe(self):
        layers = [layer._describe() for layer in self.layers]
        return {"type": type(self).__name__, "layers": layers}

    def _fixed_arrays(self):
        arrays = [layer._fixed_arrays() for layer in self.layers]
        constants, indices = zip(*arrays, strict=True)
        return np.concatenate(constants, dtype=self.dtype), np.concatenate(indices)

    @classmethod
    def _restore(cls, description, reader):
        layers = take(cls.__name__, description, "layers", list)
        layers = tuple(map(reader.layer, layers))
        if cls._kinds is None:
            return cls(*layers)
        if tuple(map(type, layers)) != cls._kinds:
            raise ValueError(f"{cls.__name__} cannot be made of {layers!r}")
        _check_layers(layers)
        net = cls.__new__(cls)
        net._set(layers)
        return net

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(map(repr, self.layers))})"


def _check_layers(layers):
    """Raise unless the layers make a network."""
    for i, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            hint = "; call it" if isinstance(layer, type) else ""
            raise TypeError(f"layer {i} must be a Layer, got {layer!r}{hint}")
        if layer._in_network or any(layer is other for other in layers[:i]):
            raise ValueError(
                f"layer {i}, {layer!r}, already belongs to a network; "
                "give each network layers of its own, e.g. by copy.deepcopy"
            )
    sized = [(i, layer) for i, layer in enumerate(layers) if layer.n_in is not None]
    if not sized:
        raise ValueError(f"layers must include one that has a size, got {layers!r}")
    for (i, first), (j, second) in pairwise(sized):
        if first.n_out != second.n_in:
            raise ValueError(
                f"layer {j}, {second!r}, must take the {first.n_out} outputs of "
                f"layer {i}, {first!r}, but has n_in = {second.n_in}"
            )
        if first.dtype != second.dtype:
            raise ValueError(
                f"layer {j}, {second!r}, must have the dtype of layer {i}, {first!r}, "
                f"which is {first.dtype}, got {second.dtype}"
            )
