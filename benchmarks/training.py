"""How much faster does a network with a butterfly train and predict than a dense one?

An epoch of ten batches of 128 samples: a layer n x n, ReLU, a dense layer to ten
classes, cross-entropy, SGD with momentum, float32, one thread. Beside it the same with
torch's dense layers and with scikit-learn's MLPClassifier, and predictions of one
sample and of a batch. `memory` is the peak of what NumPy allocates in training beyond
the data and the network, in one epoch and in ten.
"""

import os
import tracemalloc
import warnings
from contextlib import suppress

import numpy as np
import script

from fastbutterfly import nn
from fastbutterfly.bench.timing import best_in_turn

BATCH, BATCHES, CLASSES, RATE = 128, 10, 10, 0.01
SIZES = 128, 256, 512, 1024, 2048, 4096
LAYERS = {
    "butterfly": nn.ButterflyLinear,
    "gadget": nn.ButterflyDense,
    "dense": nn.Dense,
}


def measure(n, seconds):
    """One row for each network: microseconds of a step and of predictions, memory."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((BATCH * BATCHES, n)).astype(np.float32)
    y = rng.integers(0, CLASSES, len(X))
    makers = {name: _ours(layer) for name, layer in LAYERS.items()}
    networks = {name: make(n) for name, make in makers.items()}
    networks |= {name: make(n) for name, make in _peers().items()}
    calls = {}
    for name, (train, predict) in networks.items():
        calls[name, "epoch"] = lambda train=train: train(X, y)
        calls[name, "batch"] = lambda predict=predict: predict(X[:BATCH])
        calls[name, "one"] = lambda predict=predict: predict(X[:1])
    best = best_in_turn(calls, seconds)
    rows = []
    for name, (train, _) in networks.items():
        row = {"n": n, "network": name}
        row["step_us"] = 1e6 * best[name, "epoch"] / BATCHES
        row["predict_batch_us"] = 1e6 * best[name, "batch"]
        row["predict_one_us"] = 1e6 * best[name, "one"]
        if name in LAYERS:
            row["memory"] = [_peak(train, X, y, epochs) for epochs in (1, 10)]
        rows.append(row)
    return rows


def _ours(layer):
    def make(n):
        net = nn.Sequential(layer(n, n, rng=0), nn.ReLU(), nn.Dense(n, CLASSES, rng=1))
        options = {
            "loss": nn.CrossEntropy(),
            "optimizer": nn.SGD(RATE, momentum=0.9),
            "batch_size": BATCH,
            "progress": False,
            "rng": 0,
        }

        def train(X, y, epochs=1):
            nn.fit(net, X, y, epochs=epochs, **options)

        return train, net

    return make


def _peak(train, X, y, epochs):
    tracemalloc.start()
    try:
        train(X, y, epochs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _peers():
    networks = {}
    for name, make in {"torch": _torch, "scikit-learn": _sklearn}.items():
        try:
            make(16)
            networks[name] = make
        except ImportError as error:
            print(f"skipped {name}: {error}")
    return networks


def _torch(n):
    import torch

    torch.set_num_threads(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(n, n), torch.nn.ReLU(), torch.nn.Linear(n, CLASSES)
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()

    def train(X, y):
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        order = torch.randperm(len(X))
        for start in range(0, len(X), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss(net(X[rows]), y[rows]).backward()
            optimizer.step()

    @torch.inference_mode()
    def predict(x):
        return net(torch.from_numpy(x)).numpy()

    return train, predict


def _sklearn(n):
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(
        (n,), solver="sgd", batch_size=BATCH, learning_rate_init=RATE, momentum=0.9
    )
    first = np.zeros((CLASSES, n), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a batch of ten is not one of 128
        net.partial_fit(first, np.arange(CLASSES), classes=np.arange(CLASSES))
    return net.partial_fit, net.predict_proba


if __name__ == "__main__":
    with suppress(AttributeError):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    script.run(
        "training",
        __doc__,
        cases=lambda quick: ({"n": n} for n in ((64, 256) if quick else SIZES)),
        measure=measure,
        packages=("torch", "scikit-learn"),
        seconds=20,
    )
