"""Replace the dense layers of a trained scikit-learn network by butterflies.

An MLPClassifier with two hidden layers of 1024 is trained on handwritten digits, 32 x
32 pixels. Its layers become butterflies or gadgets: from the weights alone, or trained
to give the outputs of the dense ones for the training images, without labels; then the
whole network is fine-tuned with the labels. Accuracies are of test images. A dense
network that is fine-tuned alike shows what the further epochs are worth.

MNIST by --data or FASTBUTTERFLY_DATA, else scikit-learn's digits. Three seeds of MNIST
take about five minutes. Writes studies/results/replace_layers.json.
"""

import argparse
import copy
import json
import os
import warnings
from pathlib import Path
from statistics import mean
from time import perf_counter

from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from fastbutterfly import nn
from fastbutterfly._base import machine
from fastbutterfly.demo import digits

HIDDEN = 1024, 1024
RESULTS = Path(__file__).parent / "results"
WAYS = {
    "dense": None,
    "butterfly, from weights": ("butterfly", False),
    "butterfly, from outputs": ("butterfly", True),
    "gadget, from weights": ("gadget", False),
    "gadget, from outputs": ("gadget", True),
}


def main():
    """Train, replace, fine-tune; print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's test files")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--quick", action="store_true", help="one seed, few epochs")
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    images = digits.load(Path(folder) if folder else None)
    if options.quick:
        images = images.head(400, 100)
    epochs = 2 if options.quick else 10
    runs = []
    with threadpool_limits(1, user_api="blas"):
        for seed in range(1 if options.quick else options.seeds):
            runs.append(run(images, seed, epochs))
    rows = [summary(name, [result[name] for result in runs]) for name in WAYS]
    for row in rows:
        print(", ".join(f"{key}: {value}" for key, value in row.items()))
    if not options.quick or options.out:
        write(options.out or RESULTS, images, epochs, len(runs), rows)


def run(images, seed, epochs):
    """One network, and what becomes of it, by name of the way."""
    model = MLPClassifier(HIDDEN, max_iter=epochs, batch_size=128, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, and need not
        model.fit(images.x_train, images.y_train)
    net = nn.from_mlp(model)
    results = {}
    for name, way in WAYS.items():
        start = perf_counter()
        replaced, errors = copy.deepcopy(net), {}
        if way is not None:
            kind, by_outputs = way
            samples = images.x_train if by_outputs else None
            replaced, errors = nn.replace_dense(net, kind, X=samples, rng=seed)
        seconds = perf_counter() - start
        before, after = accuracy(net, images), accuracy(replaced, images)
        tune(replaced, images, seed, epochs)
        results[name] = {
            "weights": replaced.n_weights,
            "before": before,
            "replaced": after,
            "fine-tuned": accuracy(replaced, images),
            "layer errors": [round(error, 3) for error in errors.values()],
            "replacing_s": seconds,
            "predict_us": predict_time(replaced, images),
        }
        print(f"seed {seed}, {name}: {results[name]}", flush=True)
    return results


def tune(net, images, seed, epochs):
    """Train the whole network with the labels."""
    steps = epochs * -(-len(images.x_train) // 128)
    nn.fit(
        net,
        images.x_train,
        images.y_train,
        loss=nn.CrossEntropy(),
        optimizer=nn.Adam(nn.cosine(1e-3, steps)),
        epochs=epochs,
        batch_size=128,
        rng=seed,
    )


def accuracy(net, images):
    """Percent of the test images."""
    right = net(images.x_test).argmax(axis=1) == images.y_test
    return 100 * float(right.mean())


def predict_time(net, images):
    """Microseconds of one image, the best of many."""
    x, best = images.x_test[:1], float("inf")
    for _ in range(300):
        start = perf_counter()
        net(x)
        best = min(best, perf_counter() - start)
    return 1e6 * best


def summary(name, runs):
    """Means over seeds."""
    row = {"network": name, "weights": runs[0]["weights"]}
    for key in ("before", "replaced", "fine-tuned", "replacing_s", "predict_us"):
        row[key] = round(mean(run[key] for run in runs), 2)
    row["all fine-tuned"] = [round(run["fine-tuned"], 2) for run in runs]
    row["layer errors"] = runs[0]["layer errors"]
    return row


def write(folder, images, epochs, seeds, rows):
    """Write the results."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"data": images.name, "machine": machine.describe()}
    content |= {"epochs": epochs, "seeds": seeds, "networks": rows}
    path = folder / "replace_layers.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
