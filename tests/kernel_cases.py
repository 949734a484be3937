"""Every kernel once, against its definition, for processes that share a cache.

`python kernel_cases.py FILE CASE/DTYPE ...` runs these cases in order and writes, as
JSON, which kernels have run and which of them had to be compiled.
"""

import importlib
import itertools
import json
import pkgutil
import sys
from pathlib import Path

import laws
import numpy as np
import scipy.linalg
import scipy.special

import fastbutterfly as fb
from fastbutterfly import _kernels, nn
from fastbutterfly._jit.staging import register_lanes
from fastbutterfly._kernels import (
    elementwise,
    gather,
    optimizer_steps,
    random_butterfly,
)
from fastbutterfly._kernels.lu import eliminate
from fastbutterfly._plans import thin_matmul
from fastbutterfly._plans.random_features import random_waves

CASES = {}  # name: (dtypes, check)
LARGE, FEW, BATCH = 256, 2, 20  # sizes of four registers or more, and of less


def case(dtypes, name=None, *arguments):
    def add(check):
        def run(dtype):
            check(np.random.default_rng(0), np.dtype(dtype), *arguments)

        CASES[name or check.__name__] = dtypes, run
        return check

    return add


def each_order(dtypes):
    def add(check):
        for stride in laws.STRIDES:
            case(dtypes, f"{check.__name__}-{stride}", stride)(check)

    return add


def exact(a):
    return np.asarray(a, np.result_type(a, float))


def close(actual, expected, terms=2):
    laws.assert_close(np.asarray(actual), np.asarray(expected), terms)


def butterfly(rng, n, dtype, stride, **selected):
    return fb.Butterfly(laws.draw_weights(rng, n, dtype), stride=stride, **selected)


def defined(B, weights, x):
    """B x for rows x by the definition, with these weights."""
    n = 1 << B.depth
    inputs = np.arange(n) if B.inputs is None else B.inputs
    outputs = np.arange(n) if B.outputs is None else B.outputs
    whole = np.zeros((len(x), n), exact(x).dtype)
    whole[:, inputs] = x
    return laws.forward(weights, B.stride, whole)[:, outputs]


def products(rng, B):
    """Rows."""
    x = laws.draw(rng, (BATCH, B.shape[1]), B.dtype)
    close(B.apply(x), defined(B, B.weights, x), 1 << B.depth)


def gradients(rng, B):
    """Of x and of each layer's weights, in random directions: y is linear in each."""
    x, other = laws.draw(rng, (2, BATCH, B.shape[1]), B.dtype)
    g = laws.draw(rng, (BATCH, B.shape[0]), B.dtype)
    gx, gweights = B.vjp(x, g)
    same_product(g, defined(B, B.weights, other), gx, other, B)
    for layer in range(B.depth):
        weights = exact(B.weights.copy())
        weights[layer] = laws.draw(rng, weights[layer].shape, B.dtype)
        y = defined(B, weights, x)
        same_product(g, y, gweights[layer], weights[layer], B)


def same_product(g, y, gradient, direction, B):
    """Re <gradient, direction> = Re <g, y>."""
    found, expected = np.vdot(gradient, direction).real, np.vdot(g, y).real
    size = np.linalg.norm(exact(gradient)) * np.linalg.norm(exact(direction))
    error = laws.tolerance(B.dtype, BATCH << B.depth) * size
    assert abs(found - expected) <= error, (found, expected)


@each_order(laws.DTYPES)
def rows(rng, dtype, stride):
    products(rng, butterfly(rng, LARGE, dtype, stride))


@each_order(laws.DTYPES)
def columns(rng, dtype, stride):
    B = butterfly(rng, LARGE, dtype, stride)
    x = laws.draw(rng, (BATCH, LARGE), dtype)
    close(B @ x.T.copy(), defined(B, B.weights, x).T, LARGE)


@each_order(laws.DTYPES)
def gradient(rng, dtype, stride):
    gradients(rng, butterfly(rng, LARGE, dtype, stride))


@each_order(laws.DTYPES)
def few(rng, dtype, stride):
    products(rng, butterfly(rng, FEW, dtype, stride))


@each_order(laws.DTYPES)
def few_gradient(rng, dtype, stride):
    gradients(rng, butterfly(rng, FEW, dtype, stride))


def few_outputs(rng, n, dtype, stride, levels):
    """Or few inputs, where the strides decrease; where `levels` are worth it, or not.

    They are for coordinates that lie in the same lane of many registers.
    """
    kept = np.arange(16) * register_lanes(dtype) if levels else [1, n // 2, n - 3]
    end = "outputs" if stride == "increasing" else "inputs"
    return butterfly(rng, n, dtype, stride, **{end: kept})


for _arguments in itertools.product(laws.STRIDES, (LARGE, 2048)):
    _name = "truncated" if _arguments[1] == LARGE else "truncated_levels"

    @case(laws.DTYPES, f"{_name}-{_arguments[0]}", *_arguments)
    def truncated(rng, dtype, stride, n):
        products(rng, few_outputs(rng, n, dtype, stride, n > LARGE))

    @case(laws.DTYPES, f"{_name}_gradient-{_arguments[0]}", *_arguments)
    def truncated_gradient(rng, dtype, stride, n):
        gradients(rng, few_outputs(rng, n, dtype, stride, n > LARGE))


def chain(rng, dtype):
    """A butterfly of size 60 and its matrix, the product of its sparse factors."""
    B = fb.Butterfly.random(60, dtype=dtype, rng=rng)
    matrix = np.eye(60)
    for factor in B.factors():
        matrix = matrix @ exact(factor.toarray())
    return B, matrix


@case(laws.DTYPES)
def mixed(rng, dtype):
    B, matrix = chain(rng, dtype)
    x = laws.draw(rng, (70, 60), dtype)
    close(B.apply(x), exact(x) @ matrix.T, 60)
    close(B.apply(x[:1]), exact(x[:1]) @ matrix.T, 60)


@case(laws.DTYPES)
def mixed_columns(rng, dtype):
    B, matrix = chain(rng, dtype)
    x = laws.draw(rng, (60, 70), dtype)
    close(B @ x, matrix @ exact(x), 60)


@case(laws.DTYPES)
def mixed_gradient(rng, dtype):
    B, matrix = chain(rng, dtype)
    x, g = laws.draw(rng, (2, 70, 60), dtype)
    gx, gweights = B.vjp(x, g)
    close(gx, exact(g) @ matrix.conj(), 60)
    blocks = B.from_blocks(B.plan.views(gweights.reshape(-1)), B.pattern).blocks
    layers = zip(blocks, B.blocks, strict=True)
    sums = np.array([np.vdot(a, b).real for a, b in layers])
    # Each layer is linear in its weights: Re <gW, W> = Re <g, B x>.
    expected = np.vdot(g, exact(x) @ matrix.T).real
    error = laws.tolerance(dtype, 70 * 60) * np.linalg.norm(g) * np.linalg.norm(x)
    np.testing.assert_allclose(sums, expected, rtol=0, atol=error)


def hadamard_matrix(n):
    return scipy.linalg.hadamard(n) / np.sqrt(n)


@case(laws.DTYPES)
def hadamard(rng, dtype):
    for n in (FEW, LARGE):
        x = laws.draw(rng, (BATCH, n), dtype)
        close(fb.fwht(x, norm="ortho"), exact(x) @ hadamard_matrix(n), n)


@case(laws.DTYPES)
def hadamard_columns(rng, dtype):
    x = laws.draw(rng, (LARGE, BATCH), dtype)
    close(fb.fwht(x, axis=0, norm="ortho"), hadamard_matrix(LARGE) @ exact(x), LARGE)


for _n in (200, 256):

    @case(laws.REAL, f"rotation-{_n}", _n)
    def rotation(rng, dtype, n):
        """There and back, in rows and columns; orthogonal, and the same map."""
        R = fb.random_rotation(n, dtype=dtype, rng=rng)
        x = laws.draw(rng, (BATCH, n), dtype)
        y = R.apply(x)
        close(R.T.apply(y), exact(x), n**6)
        close(R @ x.T.copy(), exact(y).T, n**6)
        close(R.T @ y.T.copy(), exact(x).T, n**6)
        close((exact(y) @ exact(y).T).astype(dtype), exact(x) @ exact(x).T, n**6)


@case(laws.REAL)
def features(rng, dtype):
    signs = rng.choice([-1.0, 1.0], (1, 1, LARGE))
    frequencies = rng.standard_normal(LARGE)
    x = laws.draw(rng, (5, 30), dtype)
    z = exact(x) * signs[0, 0, :30] @ hadamard_matrix(LARGE)[:30] * frequencies
    y = random_waves(x, signs, frequencies, 1.0, 1)
    close(y, np.hstack([np.cos(z), np.sin(z)]), LARGE)


@case(laws.REAL)
def narrow(rng, dtype):
    a, b = laws.draw(rng, (40, 5), dtype), laws.draw(rng, (5, 70), dtype)
    before, thin_matmul._pays = thin_matmul._pays, lambda a, b: True
    close(thin_matmul.product(a, b), exact(a) @ exact(b), 10)
    thin_matmul._pays = before


@case(laws.REAL)
def cross_entropy(rng, dtype):
    z, labels = laws.draw(rng, (9, 5), dtype), rng.integers(5, size=9)
    value, gradient = nn.CrossEntropy()(z, labels)
    shares = scipy.special.softmax(exact(z), axis=1)
    close(gradient, (shares - np.eye(5)[labels]) / 9, 8)
    expected = -np.log(shares[np.arange(9), labels]).mean()
    assert abs(value - expected) <= laws.tolerance(dtype, 64) * expected


@case(laws.REAL)
def squared_error(rng, dtype):
    z, y = laws.draw(rng, (2, 9, 5), dtype)
    value, gradient = nn.MSE()(z, y)
    close(gradient, 2 * (exact(z) - y) / z.size)
    expected = np.mean((exact(z) - y) ** 2)
    assert abs(value - expected) <= laws.tolerance(dtype, 64) * expected


@case(laws.REAL)
def relu(rng, dtype):
    layer, x, g = nn.ReLU(), *laws.draw(rng, (2, 9, 5), dtype)
    y, saved = layer.forward(x)
    close(y, np.maximum(x, 0))
    close(layer.backward(saved, g, np.empty(0, dtype)), g * (x > 0))


@case(laws.REAL)
def optimizers(rng, dtype):
    """One step from rest of each kernel, with a weight decay of 1/4."""
    p, g = laws.draw(rng, (2, 50), dtype)
    cast = dtype.type
    lr, decay, keep, yes = cast(0.5), cast(0.25), cast(0.75), True
    decayed = exact(g) + 0.25 * p
    found, velocity = p.copy(), np.zeros_like(p)
    optimizer_steps.sgd(found, g, lr, decay)
    close(found, p - 0.5 * decayed)
    found = p.copy()
    optimizer_steps.sgd_momentum(found, g, velocity, lr, keep, decay, yes)
    close(found, p - 0.5 * 1.75 * decayed)
    found, velocity = p.copy(), np.zeros_like(p)
    optimizer_steps.sgd_decoupled(found, g, velocity, lr, keep, decay, yes)
    close(found, p - 0.5 * (1.75 * exact(g) + 0.25 * p))
    found, mean, square = p.copy(), np.zeros_like(p), np.zeros_like(p)
    rates, means = (lr, decay, cast(0)), (keep, cast(0.25), cast(4))
    optimizer_steps.adam(found, g, mean, square, rates, means, (*means[:2], cast(2)))
    close(found, p - 0.5 * (np.sign(exact(g)) + 0.25 * p))


@case(laws.DTYPES)
def lu(rng, dtype):
    n, A = 9, laws.draw(rng, (9, 9), dtype)
    r = np.abs(laws.draw(rng, n, dtype).real)
    layer = np.zeros((n, n))
    for i in range(4):
        layer[i, [i, i + 5]] = r[i]
        layer[i + 5, [i, i + 5]] = r[i + 5], -r[i + 5]
    layer[4, 4] = 2 * r[4]
    for kernel, expected in (
        (random_butterfly.rows, layer @ A),
        (random_butterfly.back, layer.T @ A),
        (random_butterfly.columns, A @ layer.T),
    ):
        found = A.copy()
        kernel(found.reshape(-1), 0, n, r.astype(r.dtype), n)
        close(found, expected, n)
    L, U = np.tril(A, -1) / 9 + np.eye(n), np.triu(A, 1) / 9 + np.eye(n)
    found = (L @ U).astype(dtype)
    eliminate(found.reshape(-1), 0, n, n)
    close(found, np.tril(exact(L), -1) + U, 2**n)


@case(laws.DTYPES)
def indices(rng, dtype):
    x, index = laws.draw(rng, (3, 8), dtype), np.array([7, -1, 2])
    y = np.empty((3, 3), dtype)
    gather.take(x.reshape(-1), index, y.reshape(-1), 8)
    close(y, np.where(index < 0, 0, x[:, index]))
    gather.gather(x[0], index[::2], y[0])
    close(y[0, :2], x[0, [7, 2]])
    y[...] = 0
    gather.scatter(x[0, :2], index[::2], y.reshape(-1))
    close(y.reshape(-1)[[7, 2]], x[0, :2])
    sums, factors = y.copy(), x[0, :3].copy()
    gather.add_rows(x.reshape(-1), np.array([2, 0, 1]), factors, sums.reshape(-1), 3)
    close(sums, y + factors[:, np.newaxis] * x.reshape(-1, 3)[[2, 0, 1]])


@case(["float32"])
def same(rng, dtype):
    a = rng.integers(1 << 30, size=50, dtype=np.int32)
    b = a.copy()
    assert elementwise.same(a, b)
    b[49] ^= 1
    assert not elementwise.same(a, b)


def kernels():
    """All compiled functions that are kept in files, by name."""
    prefix = f"{_kernels.__name__}."
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(_kernels.__path__, prefix)
    ]
    return {
        f"{value.__module__.removeprefix(prefix)}.{value.__name__}": value
        for module in modules
        for value in vars(module).values()
        if hasattr(value, "nopython_signatures")
    }


def main(report, *names):
    failed = {}
    for name in names:
        check, _, dtype = name.partition("/")
        try:
            CASES[check][1](dtype)
        except AssertionError as error:
            failed[name] = str(error)
    used = {k: v for k, v in kernels().items() if v.nopython_signatures}
    found = {
        "failed": failed,
        "used": list(used),
        "compiled": [k for k, v in used.items() if v.stats.cache_misses],
    }
    Path(report).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
