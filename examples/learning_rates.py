"""Whether structured layers need their own learning rate and initial scale.

`nn.ByLayer` gives each layer a rate by a rule that is derived from Qiu et al. (2024,
arXiv 2406.06248): as many times that of a dense layer as its `rate_scale` says, with
Adam, and the same with SGD. Here a hidden layer of `width` inputs and outputs is
trained at `scale` times the rate of the output layer, for several scales and rates, on
digits of `width` pixels; a third of the training images is kept aside, and their
accuracies are compared. Also: how a butterfly starts.

Writes examples/results/learning_rates.json; takes about six minutes.
"""

import argparse
import json
import math
from pathlib import Path
from statistics import mean

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fastbutterfly import _machine, nn
from fastbutterfly.demo import digits

RESULTS = Path(__file__).parent / "results"
LAYERS = {
    "dense": nn.Dense,
    "butterfly": nn.ButterflyLinear,
    "gadget": nn.ButterflyDense,
}
RATES = {"Adam": (3e-4, 1e-3, 3e-3, 1e-2), "SGD": (0.01, 0.03, 0.1, 0.3)}
SCALES = 1, 3, 10, 30, 100
INITS = "orthogonal", "gaussian", "fjlt", "identity"
WIDTHS = 64, 256, 1024
BATCH = 64


def main():
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="default: examples/results")
    options = parser.parse_args()
    data, epochs = images(options.quick), 1 if options.quick else 15
    seeds = 1 if options.quick else options.seeds
    cases = list(grid(options.quick))
    found = []
    with threadpool_limits(1, user_api="blas"):
        for case in tqdm(cases, disable=None):
            runs = [train(data, seed=s, epochs=epochs, **case) for s in range(seeds)]
            found.append({**case, "accuracy": round(mean(runs), 2), "runs": runs})
    report(found)
    if not options.quick or options.out:
        folder = options.out or RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        result = {"machine": _machine.describe(), "epochs": epochs, "seeds": seeds}
        path = folder / "learning_rates.json"
        path.write_text(json.dumps(result | {"rows": found}, indent=1) + "\n")
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


def _case(width, kind, optimizer, rate, scale, init="orthogonal"):
    names = "width", "kind", "optimizer", "rate", "scale", "init"
    return dict(zip(names, (width, kind, optimizer, rate, scale, init), strict=True))


def images(quick):
    """Training and validation images, cut out of the training images."""
    found = digits.bundled()
    if quick:
        found = found.head(150, 10)
    cut = len(found.x_train) * 2 // 3
    x, y = found.x_train, found.y_train
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def smaller(images, pixels):
    """Square images of so many pixels, each the mean of a square."""
    side, new = math.isqrt(images.shape[1]), math.isqrt(pixels)
    blocks = images.reshape(-1, new, side // new, new, side // new)
    return blocks.mean(axis=(2, 4)).reshape(-1, pixels)


def train(data, *, seed, epochs, width, kind, optimizer, rate, scale, init):
    """Validation accuracy of one run, in percent."""
    (x, y), validation = [(smaller(images, width), labels) for images, labels in data]
    rng = np.random.default_rng(seed)
    options = {"init": init} if kind == "butterfly" else {}
    hidden = LAYERS[kind](x.shape[1], width, rng=rng, **options)
    net = nn.Sequential(hidden, nn.ReLU(), nn.Dense(width, 10, rng=rng))
    steps = epochs * -(-len(x) // BATCH)
    by_rule = scale == "rule"
    own = 1 if by_rule and optimizer == "SGD" else scale

    def make(found):
        factor = found if by_rule and own != 1 else own if found > 1 else 1
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
        return 0.0
    return round(100 * history.validation_accuracy[-1], 3)


def _optimizer(name, rate, steps):
    lr = nn.cosine(rate, steps)
    return nn.SGD(lr, momentum=0.9) if name == "SGD" else nn.Adam(lr)


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
