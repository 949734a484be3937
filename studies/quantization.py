"""What integers cost: accuracy and bytes of networks for handwritten digits.

A butterfly, two butterflies, gadgets and a dense network, 1024 pixels to 10 classes,
trained in float32; then with int16 and with int8 weights, calibrated on 1000 training
images, as the exported C computes to the bit; with int8 weights where all rows of a
layer share one scale and nothing else is rounded, for comparison; and with int8 weights
after three epochs of fine-tuning for them. Accuracies are of test images, errors those
of the scores, in percent.

MNIST by --data or FASTBUTTERFLY_DATA, else scikit-learn's digits. Three seeds of MNIST
take about four minutes. Writes studies/results/quantization.json.
"""

import argparse
import copy
import json
import os
import tempfile
from functools import partial
from pathlib import Path
from statistics import mean

import numpy as np
from threadpoolctl import threadpool_limits

from fastbutterfly import export, nn
from fastbutterfly._base import machine
from fastbutterfly.demo import digits

RESULTS = Path(__file__).parent / "results"
PIXELS, CALIBRATED = 1024, 1000
NETWORKS = {
    "butterfly": lambda rng: (nn.ButterflyLinear(PIXELS, 256, rng=rng),),
    "two butterflies": lambda rng: (
        nn.ButterflyLinear(PIXELS, PIXELS, rng=rng),
        nn.ReLU(),
        nn.ButterflyLinear(PIXELS, PIXELS, rng=rng),
    ),
    "gadget": lambda rng: (nn.ButterflyDense(PIXELS, 256, k_in=40, k_out=40, rng=rng),),
    "dense": lambda rng: (nn.Dense(PIXELS, 256, rng=rng),),
}


def main():
    """Train, quantize, fine-tune; print and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of MNIST's test files")
    parser.add_argument("--seeds", type=int, default=3, help="default: 3")
    parser.add_argument("--quick", action="store_true", help="one seed, few epochs")
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    images = digits.load(Path(folder) if folder else None)
    images = images.head(400, 100) if options.quick else images
    epochs, seeds = (2, 1) if options.quick else (15, options.seeds)
    rows = []
    with threadpool_limits(1, user_api="blas"):
        for name, layers in NETWORKS.items():
            runs = [run(layers, images, seed, epochs) for seed in range(seeds)]
            row = {key: round(mean(each[key] for each in runs), 3) for key in runs[0]}
            rows.append({"network": name} | row)
            print(", ".join(f"{key}: {value}" for key, value in rows[-1].items()))
    if not options.quick or options.out:
        write(options.out or RESULTS, images, epochs, seeds, rows)


def run(layers, images, seed, epochs):
    """Accuracies in percent and bytes of one network."""
    rng = np.random.default_rng(seed)
    layers = layers(rng)
    width = [layer.n_out for layer in layers if layer.n_out][-1]
    net = nn.Sequential(*layers, nn.ReLU(), nn.Dense(width, 10, rng=rng))
    train(net, images, seed, epochs, 2e-3, lambda adam: adam)
    row = {"weights": net.n_weights, "float32": accuracy(images, net)}
    typical = images.x_train[:CALIBRATED]
    for dtype in ("int16", "int8"):
        model = export.quantize(net, typical, dtype=dtype)
        row[dtype] = integers(images, model)
        y = export.emulate(model, images.x_test)
        row[f"{dtype} error"] = error(images, net, y)
    row["int8, one scale a layer"] = accuracy(images, by_layer(net))
    y = by_layer(net)(images.x_test)
    row["int8, one scale a layer, error"] = error(images, net, y)
    aware = partial(export.QuantizationAware, net=net, X=typical)
    aware = train(net, images, seed, 3, 2e-4, aware)
    row["int8, fine-tuned"] = integers(images, aware.quantized())
    with tempfile.TemporaryDirectory() as where:
        for dtype in ("float32", "int8"):
            made = export.to_c(net, where, dtype=dtype, samples=typical)
            row |= {f"{dtype} flash": made.flash, f"{dtype} ram": made.ram}
    return row


def train(net, images, seed, epochs, rate, optimizer):
    """Adam, with a rate that ends at zero; the optimiser made of it is returned."""
    steps = epochs * -(-len(images.x_train) // 64)
    optimizer = optimizer(nn.Adam(nn.cosine(rate, steps)))
    nn.fit(
        net,
        images.x_train,
        images.y_train,
        loss=nn.CrossEntropy(),
        optimizer=optimizer,
        epochs=epochs,
        rng=seed,
        progress=False,
    )
    return optimizer


def by_layer(net):
    """The network with weights as of 8 bits, each layer's with one scale."""
    rounded = copy.deepcopy(net)
    for part in pieces(rounded):
        top = np.abs(part).max() / 127
        part[...] = np.rint(part / top) * top
    return rounded


def pieces(net):
    """The weights of each layer of a butterfly, and of dense layers."""
    for layer in net.layers:
        if isinstance(layer, nn.Sequential):
            yield from pieces(layer)
        elif isinstance(layer, nn.ButterflyLinear):
            yield from layer.weights
        elif isinstance(layer, nn.Dense):
            yield layer.weights


def accuracy(images, net):
    """Percent of the test images."""
    return 100 * float(np.mean(net(images.x_test).argmax(axis=1) == images.y_test))


def error(images, net, y):
    """What scores differ by, in percent, root mean square."""
    exact = net(images.x_test)
    return 100 * float(np.linalg.norm(y - exact) / np.linalg.norm(exact))


def integers(images, model):
    """Percent of the test images, computed as the exported code does."""
    return accuracy(images, lambda x: export.emulate(model, x))


def write(folder, images, epochs, seeds, rows):
    """Write the results."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"data": images.name, "machine": machine.describe()}
    content |= {"epochs": epochs, "seeds": seeds, "networks": rows}
    path = folder / "quantization.json"
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
