"""Replacement: butterflies in place of a trained network's dense layers."""

import copy
import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from .._base.arguments import as_choice, as_generator, as_size
from ..approximation.factorize import factorize
from ..operators.butterfly import Butterfly
from .arguments import as_batch, as_samples, check_finite
from .layers.activations import ReLU, Sigmoid, Tanh
from .layers.butterfly_dense import ButterflyDense
from .layers.butterfly_linear import ButterflyLinear
from .layers.dense import Dense
from .layers.sequential import Sequential
from .losses import MSE
from .optimizers import Adam, cosine
from .training.fit import fit

ACTIVATIONS = {"relu": ReLU, "tanh": Tanh, "logistic": Sigmoid, "identity": None}
BATCH = 128


class Replacement(NamedTuple):
    """The new network, and the error of each replaced layer by its index."""

    network: Sequential
    errors: dict[int, float]


def from_mlp(model) -> Sequential:
    """Make a network of a fitted MLPClassifier or MLPRegressor of scikit-learn.

    Parameters
    ----------
    model : object
        With the attributes ``coefs_``, ``intercepts_`` and ``activation``: "relu",
        "tanh", "logistic" or "identity".

    Returns
    -------
    Sequential
        The model up to its last function: a classifier's logits, which are what
        `CrossEntropy` takes; for two classes, or several labels each, those of
        `BinaryCrossEntropy`; of a regressor with Poisson loss, logarithms. In the dtype
        of the model.

    Raises
    ------
    ValueError, TypeError
        If the model is not fitted, or not as described.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> from fastbutterfly import nn
    >>> X = np.random.default_rng(0).standard_normal((50, 4))
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), max_iter=1000, random_state=0)
    >>> model = model.fit(X, X[:, 0])
    >>> net = nn.from_mlp(model)
    >>> bool(np.allclose(net(X)[:, 0], model.predict(X)))
    True
    """
    names = "coefs_", "intercepts_", "activation"
    missing = [name for name in names if not hasattr(model, name)]
    if missing:
        raise TypeError(
            "model must be a fitted MLPClassifier or MLPRegressor, "
            f"got {type(model).__name__} without {', '.join(missing)}"
        )
    activation = as_choice("model's activation", model.activation, ACTIVATIONS)
    counts = len(model.coefs_), len(model.intercepts_)
    if not counts[0] or counts[0] != counts[1]:
        raise ValueError(
            "model must have an array in intercepts_ for each in coefs_, at least one, "
            f"got {counts[1]} and {counts[0]}"
        )
    layers = []
    for W, bias in zip(model.coefs_, model.intercepts_, strict=True):
        if layers and activation is not None:
            layers.append(activation())
        layers.append(Dense.from_arrays(W, bias))
    return Sequential(*layers)


def replace_dense(
    net: Sequential,
    kind: str = "butterfly",
    *,
    X: ArrayLike | None = None,
    least: int = 64,
    k: int | None = None,
    epochs: int = 10,
    lr: float = 0.01,
    rng: Generator | int | None = None,
) -> Replacement:
    """Replace the dense layers of a trained network by butterflies or gadgets.

    Parameters
    ----------
    net : Sequential
        Not changed. Dense layers inside its layers, as in a `Residual`, stay.
    kind : {"butterfly", "gadget"}
        `ButterflyLinear` or `ButterflyDense`.
    X : array, shape (samples, n_in), optional
        Samples, without targets: each replacement is trained to give what its dense
        layer gives for them, from the outputs of the new layers before it. None:
        only the weights count, see Notes.
    least : int
        Layers with fewer inputs or outputs than this stay as they are.
    k : int, optional
        Size of a gadget's core, at most those of the layer; None: ceil(log2(n)). Only
        for gadgets.
    epochs, lr
        Passes over X for each layer, by `Adam` with the schedule
        ``cosine(lr, steps)``.
    rng : Generator, int or None
        Source of randomness: gadgets, the order of samples.

    Returns
    -------
    Replacement
        ``network``, a new `Sequential`, to be trained further, e.g. with `fit`; and
        ``errors``, of each replaced layer by its index: with X the relative error of
        its outputs, |new - old| / |old - mean of old|, else that of its matrix, both in
        the Frobenius norm. Infinite if the old outputs are all the same.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or no layer is large enough.

    Notes
    -----
    The weights of a trained dense layer are rarely close to a butterfly: expect errors
    near 1 without X, and accuracy to come back only by training. A butterfly starts as
    `fastbutterfly.factorize` of the matrix, filled up with zeros to a power of two; a
    gadget as `ButterflyDense.from_dense`, its core scaled to minimise the error.

    Examples
    --------
    >>> from fastbutterfly import nn
    >>> net = nn.Sequential(nn.Dense(64, 64, rng=0), nn.ReLU(), nn.Dense(64, 3, rng=1))
    >>> X = np.random.default_rng(0).standard_normal((500, 64))
    >>> result = nn.replace_dense(net, X=X, rng=0)
    >>> result.network.n_weights < net.n_weights / 4
    True
    """
    if not isinstance(net, Sequential):
        raise TypeError(f"net must be a Sequential, got {type(net).__name__}")
    make = as_choice("kind", kind, {"butterfly": _butterfly, "gadget": _gadget})
    least, epochs = as_size("least", least), as_size("epochs", epochs, least=0)
    if k is not None:
        k = as_size("k", k)
        if kind != "gadget":
            raise ValueError(
                f"k must be None for kind={kind!r}, it has no core, got {k}"
            )
    rng, optimizer = as_generator(rng), Adam(lr)
    large = [i for i, layer in enumerate(net.layers) if _is_large(layer, least)]
    if not large:
        raise ValueError(
            f"net must hold a Dense layer of at least {least} inputs and outputs, "
            f"got {net!r}"
        )
    if X is not None:
        X = as_samples("X", X, net.n_in)
        check_finite("X", X, net.dtype)
        optimizer.lr = cosine(optimizer.lr, max(1, epochs * -(-len(X) // BATCH)))
    layers, errors, old, new = [], {}, X, X
    for i, layer in enumerate(net.layers):
        targets = None if X is None else layer(old)
        made = make(layer, k, rng) if i in large else copy.deepcopy(layer)
        if i in large and X is not None:
            _train(made, new, targets, optimizer, epochs, rng)
        layers.append(made)
        old, new = targets, None if X is None else made(new)
        if i in large:
            errors[i] = (
                _matrix_error(made, layer) if X is None else _output_error(new, old)
            )
    return Replacement(Sequential(*layers), errors)


def _is_large(layer, least):
    return type(layer) is Dense and min(layer.n_in, layer.n_out) >= least


def _butterfly(layer, k, rng):
    """A butterfly near the weights, filled up with zeros to a power of two."""
    shape = layer.n_in, layer.n_out
    n = 1 << (max(shape) - 1).bit_length()
    full = np.zeros((n, n))
    full[: shape[1], : shape[0]] = layer.weights.T
    weights = factorize(full, permutation=None).operator.weights
    inputs, outputs = (None if size == n else range(size) for size in shape)
    operator = Butterfly(weights, inputs=inputs, outputs=outputs)
    return ButterflyLinear.from_operator(operator, bias=layer.bias, dtype=layer.dtype)


def _gadget(layer, k, rng):
    """With the core of minimal error; that of `from_dense` is unbiased only."""
    k_in, k_out = (None if k is None else min(k, n) for n in (layer.n_in, layer.n_out))
    options = {"bias": layer.bias, "k_in": k_in, "k_out": k_out, "rng": rng}
    gadget = ButterflyDense.from_dense(layer.weights, **options)
    core = gadget.layers[1]
    core.weights *= core.n_in * core.n_out / (layer.n_in * layer.n_out)
    return gadget


def _train(made, x, targets, optimizer, epochs, rng):
    options = {"epochs": epochs, "batch_size": BATCH, "progress": False, "rng": rng}
    fit(made, x, targets, loss=MSE(), optimizer=optimizer, **options)


def _output_error(outputs, targets):
    """Error of outputs, relative to their deviation from the mean."""
    return _relative(outputs, targets, np.linalg.norm(targets - targets.mean(axis=0)))


def _matrix_error(made, layer):
    """Relative error of a layer's matrix."""
    matrix = made(as_batch(np.eye(layer.n_in), layer.dtype))
    matrix = matrix if layer.bias is None else matrix - layer.bias
    return _relative(matrix, layer.weights, np.linalg.norm(layer.weights))


def _relative(actual, expected, norm):
    distance = np.linalg.norm(actual - expected)
    if not norm:
        return math.inf if distance else 0.0
    return float(distance / norm)
