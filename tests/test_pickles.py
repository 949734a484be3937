"""Pickles name public modules only, so that they survive when files move."""

import dataclasses
import importlib
import inspect
import pickle
import pickletools
import tempfile

import numpy as np
import pytest
import scipy.sparse

import fastbutterfly as fb
from fastbutterfly import export, linalg, nn, sketch

X = np.random.default_rng(0).standard_normal((40, 16))
LABELS = np.arange(40) % 3
SPD = np.eye(16) * 20 + X.T @ X


def network():
    return nn.Sequential(nn.ButterflyLinear(16, 8, rng=0), nn.ReLU(), nn.Dense(8, 3))


def fitted(callbacks=(), validation=None):
    """A network after two epochs, and their history."""
    net, options = network(), {"epochs": 2, "rng": 0, "callbacks": callbacks}
    options |= {"loss": nn.CrossEntropy(), "optimizer": nn.SGD(0.1)}
    return net, nn.fit(net, X, LABELS, validation=validation, **options)


def patterned():
    """A butterfly of two layers of blocks that are not 2 x 2."""
    blocks = X[:3, :2].reshape(3, 2, 1), X[:2, :9].reshape(2, 3, 3)
    return fb.Butterfly.from_blocks(blocks, [(3, 2, 1, 1), (1, 3, 3, 2)])


def two_phases():
    net = nn.EncoderDecoder(16, 16, k=2, l=4, rng=0)
    return nn.two_phase(net, X, optimizer=nn.SGD(1e-3), epochs=2, rng=0)


def stopped_early():
    early = nn.EarlyStopping(1)
    fitted([early], validation=(X, LABELS))
    return early


def averaged():
    average = nn.AveragedWeights()
    fitted([average])
    return average


def state(optimizer):
    return optimizer.init(np.ones(3))


def estimator(name, *targets, **options):
    from fastbutterfly import sklearn

    return getattr(sklearn, name)(random_state=0, **options).fit(X, *targets)


def exported():
    with tempfile.TemporaryDirectory() as folder:
        return export.to_c(network(), folder)


def aware():
    net = network()
    return export.QuantizationAware(nn.SGD(0.1), net, X), net.parameters


def aware_state():
    optimizer, parameters = aware()
    return optimizer.init(parameters)


MOMENTUM = {"momentum": 0.9}
OBJECTS = {
    "Butterfly": lambda: fb.Butterfly.random(16, rng=0),
    "truncated": lambda: fb.truncated(3, 10, rng=0),
    "patterns": patterned,
    "Factorization": lambda: fb.factorize(SPD),
    "random_rotation": lambda: fb.random_rotation(16, rng=0),
    "dct": lambda: fb.dct(16),
    "dst": lambda: fb.dst(16),
    "dft": lambda: fb.dft(16),
    "circulant": lambda: fb.circulant(X[0]),
    "toeplitz": lambda: fb.toeplitz(X[0], X[0]),
    "hadamard": lambda: fb.hadamard(16),
    "Chain": lambda: fb.hadamard(16) @ fb.Butterfly.random(16, rng=0),
    "Sum": lambda: fb.Sum([fb.hadamard(16), fb.Butterfly.random(16, rng=0)]),
    "ReducedRank": lambda: fb.reduced_rank(X, X, 2),
    "ButterflyLinear": lambda: nn.ButterflyLinear(16, 5, rng=0),
    "ButterflyLinear, fixed": lambda: nn.ButterflyLinear(5, 16, trainable=False),
    "ButterflyLinear, patterns": lambda: nn.ButterflyLinear.from_operator(patterned()),
    "ButterflyDense": lambda: nn.ButterflyDense(16, 16, rng=0),
    "OrthogonalLinear": lambda: nn.OrthogonalLinear(16, rng=0),
    "EncoderDecoder": lambda: nn.EncoderDecoder(16, 16, k=2, l=4, rng=0),
    "Dense": lambda: nn.Dense(16, 3, rng=0),
    "PointWise": lambda: nn.PointWise(nn.Dense(4, 4, rng=0), 4),
    "Residual": lambda: nn.Residual(nn.Dense(16, 16, rng=0)),
    "LayerNorm": lambda: nn.LayerNorm(16),
    "Dropout": lambda: nn.Dropout(0.5),
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Tanh": nn.Tanh,
    "Sigmoid": nn.Sigmoid,
    "Sequential": lambda: fitted()[0],
    "Replacement": lambda: nn.replace_dense(
        nn.Sequential(nn.Dense(16, 16, rng=0)), least=8
    ),
    "History": lambda: fitted()[1],
    "Epoch": lambda: fitted()[1].epochs[0],
    "TwoPhases": two_phases,
    "DivergenceError": lambda: nn.DivergenceError("it diverged"),
    "EarlyStopping": stopped_early,
    "AveragedWeights": averaged,
    "MSE": nn.MSE,
    "Huber": nn.Huber,
    "CrossEntropy": lambda: nn.CrossEntropy([1, 2, 3]),
    "BinaryCrossEntropy": lambda: nn.BinaryCrossEntropy(2),
    "SGD": lambda: nn.SGD(0.1, momentum=0.9),
    "Adam": nn.Adam,
    "ByLayer": lambda: nn.ByLayer(network(), nn.SGD),
    "SGDState": lambda: state(nn.SGD(0.1, momentum=0.9)),
    "AdamState": lambda: state(nn.Adam()),
    "sketch.fjlt": lambda: sketch.fjlt(4, 16, rng=0),
    "sketch.gaussian": lambda: sketch.gaussian(4, 16, rng=0),
    "sketch.sparse": lambda: sketch.sparse(4, 16, rng=0),
    "sketch.count_sketch": lambda: sketch.count_sketch(4, 16, rng=0),
    "sketch.sparse_rtt": lambda: sketch.sparse_rtt(4, 16, rng=0),
    "LowRank": lambda: sketch.low_rank(X, sketch.fjlt(8, 40, rng=0), 2),
    "Learned": lambda: sketch.learn([X, X + 1], 4, 2, steps=2, rng=0),
    "LeastSquares": lambda: linalg.lstsq(X, X[:, 0], method="sketch", rng=0),
    "SVD": lambda: linalg.rsvd(X, 3, rng=0),
    "Eigen": lambda: linalg.eigh(SPD, 3, rng=0),
    "PivotedQR": lambda: linalg.qr(X, 3, rng=0),
    "LU": lambda: linalg.lu_rbt(SPD, rng=0),
    "Solution": lambda: linalg.solve(SPD, SPD[0], rng=0),
    "Preconditioner": lambda: linalg.preconditioner(SPD, spd=True, rng=0),
    "CExport": exported,
    "Sizes": lambda: export.sizes(network()),
    "Quantized": lambda: export.quantize(network(), X),
    "QuantizationAware": lambda: aware()[0],
    "AwareState": aware_state,
    "ButterflyClassifier": lambda: estimator("ButterflyClassifier", LABELS, tol=1.0),
    "ButterflyRegressor": lambda: estimator("ButterflyRegressor", X[:, 0]),
    "ButterflyAutoencoder": lambda: estimator("ButterflyAutoencoder", n_components=2),
    "ButterflyFeatures": lambda: estimator("ButterflyFeatures", n_components=16),
    "ButterflyProjection": lambda: estimator("ButterflyProjection", n_components=4),
}


def made(name):
    if name.startswith("Butterfly") and not hasattr(fb, name) and not hasattr(nn, name):
        pytest.importorskip("sklearn")
    return OBJECTS[name]()


def modules_of(data):
    """The modules of this package that a pickle names."""
    for _, argument, _ in pickletools.genops(data):
        if isinstance(argument, str) and argument.startswith("fastbutterfly"):
            yield argument.split(" ")[0]


def assert_same(a, b):
    """Equal values, or objects of one class that compute the same."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, tuple | list):
        for pair in zip(a, b, strict=True):
            assert_same(*pair)
    elif scipy.sparse.issparse(a):
        np.testing.assert_array_equal(a.toarray(), b.toarray())
    elif hasattr(a, "transform") or hasattr(a, "predict"):
        for name in {"transform", "predict"} & set(dir(a)):
            assert_same(*(getattr(thing, name)(X) for thing in (a, b)))
    elif isinstance(a, nn.Layer):
        x = X[:, : a.n_in]
        np.testing.assert_array_equal(a(x), b(x))
    elif hasattr(a, "__matmul__"):
        np.testing.assert_array_equal(a @ np.eye(a.shape[1]), b @ np.eye(a.shape[1]))
    elif isinstance(a, linalg.LU):
        assert_same(a.solve(SPD), b.solve(SPD))
    elif dataclasses.is_dataclass(a):
        for field in dataclasses.fields(a):
            assert_same(*(getattr(thing, field.name) for thing in (a, b)))
    elif type(a).__module__.startswith("fastbutterfly"):
        assert_same(list(vars(a).items()), list(vars(b).items()))
    else:
        assert a == b


@pytest.mark.parametrize("name", OBJECTS)
class TestPickle:
    @pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
    def test_names_no_private_module(self, name, protocol):
        modules = set(modules_of(pickle.dumps(made(name), protocol)))
        private = {m for m in modules if any(p[:1] == "_" for p in m.split("."))}
        assert modules
        assert not private

    def test_gives_the_same_again(self, name):
        thing = made(name)
        assert_same(thing, pickle.loads(pickle.dumps(thing)))

    def test_class_has_a_public_name(self, name):
        kind = type(made(name))
        assert not any(part.startswith("_") for part in kind.__module__.split("."))
        found = importlib.import_module(kind.__module__)
        for part in kind.__qualname__.split("."):
            found = getattr(found, part)
        assert found is kind


def test_all_public_classes_are_here():
    """But for bases, of which nobody has instances."""
    classes = {
        name
        for package in (fb, nn, sketch, linalg, export)
        for name in package.__all__
        if inspect.isclass(getattr(package, name))
    }
    tried = {type(made(name)).__name__ for name in OBJECTS}
    assert classes - tried == {"Layer", "Loss", "Optimizer"}
