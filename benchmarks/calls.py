"""What does a small call cost?

Microseconds a call, float32, one thread, beside NumPy and torch with the same map as a
dense matrix. A time is the mean of 20 calls in a row, the best of many; torch has its
tensors before, and is in its inference mode where it needs no gradients. For `B.vjp`
NumPy takes two products, torch a forward pass and its gradients. The network has a
butterfly 64 x 64, in NumPy and torch a dense layer; a step of `nn.fit` is a tenth of an
epoch of ten, with what the call of `nn.fit` takes before and after. `work_us` is what
the rows take as a part of a large batch; the rest of a call's time is overhead.
"""

import os
from contextlib import suppress
from itertools import product

import numpy as np
import script

import fastbutterfly as fb
from fastbutterfly import nn
from fastbutterfly.bench.timing import best_in_turn

try:
    import torch
except ImportError:
    torch = None

REPEATS = 20  # calls in a row
LARGE = 256  # rows
WIDTH, CLASSES = 64, 10
BATCH, BATCHES, RATE = 32, 10, 0.1


def cases(quick):
    """Every call, with its sizes and numbers of rows."""
    sizes = (64,) if quick else (16, 64, 256)
    for call in (apply, apply_out, vjp):
        yield {"call": call, "at": list(product(sizes, (1, 8, 16)))}
    yield {"call": columns, "at": list(product(sizes, (8,)))}
    yield {"call": vector, "at": list(product(sizes, (1,)))}
    yield {"call": predict, "at": list(product((WIDTH,), (1, 16, 64)))}
    yield {"call": step, "at": [(WIDTH, BATCH)]}


def measure(call, at, seconds):
    """A row for each size: the times of a call, ours and others', all in turn."""
    timed, rows = {}, {}
    for place in at:
        name, calls = call(*place)
        if call is not step:
            calls = {key: repeated(function) for key, function in calls.items()}
            if "torch" in calls and call is not vjp:
                calls["torch"] = torch.inference_mode()(calls["torch"])
            compare(name, calls)
        timed |= {(place, key): function for key, function in calls.items()}
        rows[place] = {"call": name, "n": place[0], "rows": place[1]}
    count = BATCHES if call is step else REPEATS
    for (place, key), time in best_in_turn(timed, seconds).items():
        rows[place][f"{key}_us"] = 1e6 * time / count
    if call is apply_out:
        for row in rows.values():
            more = row.pop("larger_us") - row.pop("large_us")
            row["work_us"] = more * row["rows"] / LARGE
    return list(rows.values())


def repeated(call):
    """Make many calls of one; the result is the last one's."""

    def loop():
        for _ in range(REPEATS):
            result = call()
        return result

    return loop


def compare(name, calls):
    """Stop if a result, or the first of several, is not ours."""
    ours = first(calls["ours"]())
    for key in calls.keys() & {"numpy", "torch"}:
        error = np.linalg.norm(first(calls[key]()) - ours) / np.linalg.norm(ours)
        if not error <= 1e-5:
            raise SystemExit(f"{name}: {key} differs by {error:.2g}")


def first(result):
    """The first array of a result."""
    return np.asarray(result[0] if isinstance(result, tuple) else result)


def apply(n, rows):
    """The outputs of samples as rows."""
    B, W = operator(n)
    X, transposed = samples(rows, n), W.T.copy()
    calls = {"ours": lambda: B.apply(X), "numpy": lambda: X @ transposed}
    if torch:
        linear, t, v = torch.nn.functional.linear, tensor(X), tensor(W)
        calls["torch"] = lambda: linear(t, v)
    return "B.apply(X)", calls


def apply_out(n, rows):
    """The same into an array that is there."""
    B, W = operator(n)
    X, large, larger = (samples(rows + k * LARGE, n) for k in range(3))
    transposed = W.T.copy()
    Y, Z, room, more = map(np.empty_like, (X, X, large, larger))
    calls = {
        "ours": lambda: B.apply(X, out=Y),
        "numpy": lambda: np.matmul(X, transposed, out=Z),
        "large": lambda: B.apply(large, out=room),
        "larger": lambda: B.apply(larger, out=more),
    }
    if torch:
        t, v, y = tensor(X), tensor(transposed), tensor(Y)
        calls["torch"] = lambda: torch.mm(t, v, out=y)
    return "B.apply(X, out=Y)", calls


def vjp(n, rows):
    """The gradients for samples and weights."""
    B, W = operator(n)
    X, G = samples(rows, n), samples(rows, n)
    calls = {"ours": lambda: B.vjp(X, G), "numpy": lambda: (G @ W, G.T @ X)}
    if torch:
        linear, g = torch.nn.functional.linear, tensor(G)
        inputs = tensor(X).requires_grad_(), tensor(W).requires_grad_()
        gradients = torch.autograd.grad
        calls["torch"] = lambda: gradients(linear(*inputs), inputs, g)
    return "B.vjp(X, G)", calls


def columns(n, count):
    """The outputs of samples as columns."""
    return "B @ X", products(n, (n, count))


def vector(n, _):
    """The output of a vector."""
    return "B @ x", products(n, (n,))


def products(n, shape):
    """B @ x beside the dense products."""
    B, W = operator(n)
    x = samples(*shape)
    calls = {"ours": lambda: B @ x, "numpy": lambda: W @ x}
    if torch:
        t, v = tensor(x), tensor(W)
        calls["torch"] = lambda: v @ t
    return calls


def predict(n, rows):
    """The outputs of a network."""
    net, X = network(n), samples(rows, n)
    layer, _, head = net.layers
    W, b = layer.operator.to_dense().T.copy(), layer.bias
    V, c = head.weights, head.bias
    calls = {
        "ours": lambda: net(X),
        "numpy": lambda: np.maximum(X @ W + b, 0) @ V + c,
    }
    if torch:
        dense, t = twin(net), tensor(X)
        calls["torch"] = lambda: dense(t)
    return "net(X)", calls


def step(n, rows):
    """An epoch of training."""
    net, X = network(n), samples(rows * BATCHES, n)
    y = np.random.default_rng(2).integers(0, CLASSES, len(X))
    options = {
        "loss": nn.CrossEntropy(),
        "optimizer": nn.SGD(RATE),
        "batch_size": rows,
        "epochs": 1,
        "progress": False,
        "rng": 0,
    }
    calls = {"ours": lambda: nn.fit(net, X, y, **options)}
    if torch:
        calls["torch"] = torch_epoch(twin(net), tensor(X), tensor(y), rows)
    return "nn.fit, a step", calls


def torch_epoch(net, X, y, batch):
    """Return an epoch of training in torch."""
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    loss = torch.nn.CrossEntropyLoss()

    def epoch():
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss(net(X[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def operator(n):
    """Return a butterfly and its matrix."""
    B = fb.Butterfly.random(n, dtype=np.float32, rng=0)
    return B, B.to_dense()


def network(n):
    """Return a butterfly, ReLU and a dense layer."""
    return nn.Sequential(
        nn.ButterflyLinear(n, n, rng=0), nn.ReLU(), nn.Dense(n, CLASSES, rng=1)
    )


def twin(net):
    """Return the same network in torch, with dense layers."""
    layer, _, head = net.layers
    n, classes = layer.n_in, head.n_out
    model = torch.nn.Sequential(
        torch.nn.Linear(n, n), torch.nn.ReLU(), torch.nn.Linear(n, classes)
    )
    values = layer.operator.to_dense(), layer.bias, head.weights.T, head.bias
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(tensor(value))
    return model


def samples(*shape):
    """Draw standard normal numbers."""
    return np.random.default_rng(1).standard_normal(shape, dtype=np.float32)


def tensor(array):
    """Copy an array into a tensor."""
    return torch.from_numpy(np.array(array, order="C"))


if __name__ == "__main__":
    with suppress(AttributeError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if torch:
        torch.set_num_threads(1)
    else:
        print("skipped torch: it is not installed")
    script.run(
        "calls",
        __doc__,
        cases=cases,
        measure=measure,
        packages=("torch",),
        seconds=12,
    )
