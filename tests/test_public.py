"""What users can import, and what importing costs."""

import inspect
import subprocess
import sys

import pytest

import fastbutterfly as fb
from fastbutterfly import export, linalg, nn, sketch
from fastbutterfly import sklearn as estimators

NAMES = {
    fb: {
        "Butterfly",
        "Chain",
        "Factorization",
        "ReducedRank",
        "Rotation",
        "Sum",
        "circulant",
        "dct",
        "dft",
        "dst",
        "factorize",
        "fjlt",
        "fwht",
        "hadamard",
        "identity",
        "random_rotation",
        "reduced_rank",
        "toeplitz",
        "truncated",
        "warmup",
        "weights_bound",
    },
    nn: {
        "GELU",
        "MSE",
        "SGD",
        "SGDState",
        "Epoch",
        "Adam",
        "AdamState",
        "AveragedWeights",
        "BinaryCrossEntropy",
        "ButterflyDense",
        "ButterflyLinear",
        "CrossEntropy",
        "Dense",
        "DivergenceError",
        "EarlyStopping",
        "EncoderDecoder",
        "TwoPhases",
        "two_phase",
        "variable_projection",
        "Dropout",
        "History",
        "Huber",
        "Layer",
        "LayerNorm",
        "Loss",
        "Optimizer",
        "OrthogonalLinear",
        "PointWise",
        "ReLU",
        "Residual",
        "Sequential",
        "constant",
        "Sigmoid",
        "Tanh",
        "ByLayer",
        "Replacement",
        "about",
        "check_gradients",
        "from_mlp",
        "replace_dense",
        "cosine",
        "fit",
        "lbfgs",
        "load",
        "step_decay",
        "warmup",
    },
    linalg: {
        "LU",
        "SVD",
        "Eigen",
        "LeastSquares",
        "PivotedQR",
        "Preconditioner",
        "Solution",
        "cond",
        "eigh",
        "lstsq",
        "lu_rbt",
        "norm",
        "nystrom",
        "preconditioner",
        "qr",
        "right_preconditioned",
        "rsvd",
        "solve",
    },
    sketch: {
        "Learned",
        "LowRank",
        "Sketch",
        "best_errors",
        "errors",
        "count_sketch",
        "excess",
        "fjlt",
        "gaussian",
        "learn",
        "low_rank",
        "optimal",
        "sparse",
        "sparse_rtt",
        "stack",
    },
    export: {
        "AwareState",
        "CExport",
        "QuantizationAware",
        "Quantized",
        "Sizes",
        "emulate",
        "quantize",
        "sizes",
        "to_c",
        "to_onnx",
    },
    estimators: {
        "ButterflyAutoencoder",
        "ButterflyClassifier",
        "ButterflyFeatures",
        "ButterflyProjection",
        "ButterflyRegressor",
    },
}
PUBLIC = [(module, name) for module, names in NAMES.items() for name in sorted(names)]


@pytest.mark.parametrize("module", NAMES, ids=lambda module: module.__name__)
def test_names(module):
    assert set(module.__all__) == NAMES[module]


@pytest.mark.parametrize(
    ("module", "name"), PUBLIC, ids=[f"{m.__name__}.{name}" for m, name in PUBLIC]
)
def test_documented(module, name):
    thing = getattr(module, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        undocumented = [
            member
            for member, value in vars(thing).items()
            if not member.startswith("_")
            and (callable(value) or isinstance(value, property))
            and not inspect.getdoc(value)
        ]
        assert not undocumented


def test_import_is_light():
    code = """
import sys
import fastbutterfly, fastbutterfly.nn, fastbutterfly.sketch, numba
from numba.core.registry import CPUDispatcher

heavy = {"scipy.sparse.linalg", "matplotlib", "sklearn", "tqdm", "threadpoolctl"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
kernels = [
    value
    for name, module in list(sys.modules.items())
    if name.startswith("fastbutterfly")
    for value in vars(module).values()
    if isinstance(value, CPUDispatcher)
]
assert kernels or numba.config.DISABLE_JIT
compiled = [kernel for kernel in kernels if kernel.signatures]
assert not compiled, compiled
"""
    subprocess.run([sys.executable, "-c", code], check=True)
