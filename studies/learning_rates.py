"""Whether structured layers need their own learning rate and initial scale.

`nn.ByLayer` gives each layer a rate by a rule that is derived from Qiu et al. (2024,
arXiv 2406.06248): as many times that of a dense layer as its `rate_scale` says, with
Adam, and the same with SGD. Here a hidden layer of `width` inputs and outputs is
trained at `scale` times the rate of the output layer, for several scales and rates, on
digits of `width` pixels; a third of the training images is kept aside, and their
accuracies are compared. Also: how a butterfly starts.

The rate of each way is chosen by the images kept aside; then test images count. With
--data or FASTBUTTERFLY_DATA on MNIST, at width 1024 only.

What came out, with Adam: at its own best rate the rule does not help butterflies; at
widths 64, 256, 1024 it has 95.7, 96.8, 97.3 % of the test images right, and 95.1 % of
MNIST's; one rate for all layers has 96.4, 96.9, 97.5 and 94.9 %. It helps gadgets from
256 on: 90.5, 95.7, 96.9 and 91.2 %, against 92.3, 95.1, 96.0 and 90.8 %. It does not
carry dense's best rate over: there it is never better for butterflies (MNIST: 92.5
against 94.0 %), and for gadgets at width 1024 alone (MNIST: 89.6 against 88.9 %). At
width 1024 the best single rate is 3 to 10 times that of the dense network; below, a
third to three times. A test image is 0.28 points of the digits, 0.05 of MNIST.

Writes studies/results/learning_rates.json or learning_rates_mnist.json; they took four
and three minutes on one core of an Intel Xeon virtual machine.
"""

import argparse
import json
import math
import os
from pathlib import Path
from statistics import mean

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fastbutterfly import nn
from fastbutterfly._base import machine
from fastbutterfly.demo import digits

KEYS = "width", "kind", "optimizer", "rate", "scale", "init"  # of a case
RESULTS = Path(__file__).parent / "results"
LAYERS = {
    "dense": nn.Dense,
    "butterfly": nn.ButterflyLinear,
    "gadget": nn.ButterflyDense,
}
RATES = {
    "Adam": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    "SGD": (0.003, 0.01, 0.03, 0.1, 0.3),
}
SCALES = 1, 3, 10, 30, 100
INITS = "orthogonal", "gaussian", "fjlt", "identity"
WIDTHS = 64, 256, 1024
BATCH = 64


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's test files")
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    name, *data = images(folder, options.quick)
    epochs = 1 if options.quick else 5 if folder else 15
    seeds = 1 if options.quick else options.seeds
    cases = list(mnist_cases() if folder and not options.quick else grid(options.quick))
    rows = []
    with threadpool_limits(1, user_api="blas"):
        for case in tqdm(cases, disable=None):
            runs = [train(data, case, seed=s, epochs=epochs) for s in range(seeds)]
            validation, test = zip(*runs, strict=True)
            row = {"accuracy": round(mean(validation), 2), "runs": validation}
            row |= {"test_accuracy": round(mean(test), 2), "test_runs": test}
            rows.append(case | row)
    report(rows)
    best = chosen(rows)
    if not options.quick or options.out:
        out = options.out or RESULTS
        out.mkdir(parents=True, exist_ok=True)
        result = {"data": name, "machine": machine.describe()}
        result |= {"epochs": epochs, "seeds": seeds, "chosen": best, "rows": rows}
        path = out / f"learning_rates{'_mnist' if folder else ''}.json"
        path.write_text(json.dumps(result) + "\n")
        print(f"written to {path}")


def grid(quick):
    """All cases."""
    widths, scales, inits = (64,), (1, 30), INITS[1:2]
    if not quick:
        widths, scales, inits = WIDTHS, SCALES, INITS[1:]
    for width in widths:
        for kind in LAYERS:
            for optimizer, rates in RATES.items():
                if optimizer == "SGD" and width != 1024:
                    continue
                for scale in (1,) if kind == "dense" else (*scales, "rule"):
                    for rate in rates[1:2] if quick else rates:
                        yield _case(width, kind, optimizer, rate, scale)
    for init in inits:
        for optimizer, rates in RATES.items():
            for rate in rates[1:2] if quick else rates:
                width = widths[min(1, len(widths) - 1)]
                yield _case(width, "butterfly", optimizer, rate, 1, init)


def mnist_cases():
    """The cases of MNIST: the same rate for all layers, or by the rule."""
    for kind in LAYERS:
        for optimizer, rates in RATES.items():
            alone = kind == "dense" or optimizer == "SGD"  # the rule gives 1
            for scale in (1,) if alone else (1, "rule"):
                for rate in rates:
                    yield _case(1024, kind, optimizer, rate, scale)


def _case(width, kind, optimizer, rate, scale, init="orthogonal"):
    return dict(zip(KEYS, (width, kind, optimizer, rate, scale, init), strict=True))


def images(folder, quick):
    """Name; training, validation and test images: the last third validates."""
    source = digits.load(Path(folder) if folder else None)
    if quick:
        source = source.head(150, 10)
    cut = len(source.x_train) * 2 // 3
    x, y = source.x_train, source.y_train
    test = source.x_test, source.y_test
    return source.name, (x[:cut], y[:cut]), (x[cut:], y[cut:]), test


def smaller(images, pixels):
    """Square images of so many pixels, each the mean of a square."""
    side, new = math.isqrt(images.shape[1]), math.isqrt(pixels)
    blocks = images.reshape(-1, new, side // new, new, side // new)
    return blocks.mean(axis=(2, 4)).reshape(-1, pixels)


def train(data, case, *, seed, epochs):
    """Validation and test accuracy of a run of a case, in percent; 0 if it diverged."""
    width, kind, optimizer, rate, scale, init = (case[key] for key in KEYS)
    (x, y), validation, test = [
        (smaller(images, width), labels) for images, labels in data
    ]
    rng = np.random.default_rng(seed)
    options = {"init": init} if kind == "butterfly" else {}
    hidden = LAYERS[kind](x.shape[1], width, rng=rng, **options)
    net = nn.Sequential(hidden, nn.ReLU(), nn.Dense(width, 10, rng=rng))
    steps = epochs * -(-len(x) // BATCH)
    by_rule = scale == "rule"
    own = 1 if by_rule and optimizer == "SGD" else scale

    def make(rate_scale):  # above 1 for layers of butterflies
        factor = own if rate_scale > 1 else 1
        if by_rule and own != 1:
            factor = rate_scale
        return _optimizer(optimizer, rate * factor, steps)

    try:
        history = nn.fit(
            net,
            x,
            y,
            loss=nn.CrossEntropy(),
            optimizer=nn.ByLayer(net, make),
            epochs=epochs,
            batch_size=BATCH,
            rng=seed,
            validation=validation,
            progress=False,
        )
    except nn.DivergenceError:
        return 0.0, 0.0
    tested = 100 * nn.CrossEntropy().accuracy(net(test[0]), test[1])
    return round(100 * history.validation_accuracy[-1], 3), round(tested, 3)


def _optimizer(name, rate, steps):
    lr = nn.cosine(rate, steps)
    return nn.SGD(lr, momentum=0.9) if name == "SGD" else nn.Adam(lr)


def chosen(rows):
    """For each way the best rate by validation, and what dense's best rate gives."""
    keys = "width", "kind", "optimizer", "scale", "init"
    ways, dense, results = {}, {}, []
    for row in rows:
        ways.setdefault(tuple(row[key] for key in keys), []).append(row)
    for way, tried in ways.items():
        best = max(tried, key=lambda row: row["accuracy"])
        dense |= {(way[0], way[2]): best["rate"]} if way[1] == "dense" else {}
        at_dense = [r for r in tried if r["rate"] == dense.get((way[0], way[2]))]
        row = dict(zip(keys, way, strict=True))
        row |= {"rate": best["rate"], "test_accuracy": best["test_accuracy"]}
        row["at_dense_rate"] = at_dense[0]["test_accuracy"] if at_dense else None
        results.append(row)
        print(", ".join(f"{key} {value}" for key, value in row.items()))
    return results


def report(rows):
    """Print accuracies by rate, a line for each way."""
    last = None
    for row in rows:
        way = {key: row[key] for key in ("width", "kind", "optimizer", "scale", "init")}
        if way != last:
            print("\n" + ", ".join(map(str, way.values())), end=": ")
        last = way
        print(f"{row['rate']:g}: {row['accuracy']:.1f}", end="  ")
    print()


if __name__ == "__main__":
    main()
