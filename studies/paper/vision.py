"""The paper's vision experiment: a dense layer of a classifier becomes a butterfly.

A hidden layer of 1024 is replaced by the paper's gadget (butterfly, k x k core,
transposed butterfly) with k = log n, 2 log n and n/5, or by a square butterfly; and, as
the paper does, the final layer by the gadget. Ailon, Leibovich and Nair (2021), Figures
1, 7, 8, 10 and 12, whose networks are convolutional and larger; see README.md.

Rates are chosen for each network and optimiser on an eighth of the training images,
kept aside; then all seeds train on all of them. The curves show test accuracies, which
choose nothing. Writes vision.json, vision.md and vision.png; a run that is in the JSON
file is not done again.
"""

import argparse
import math
import os
from pathlib import Path
from statistics import mean

import images
import numpy as np
import report
import timing
from records import Records
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fastbutterfly import nn

RESULTS = Path(__file__).parent.parent / "results" / "paper"
WIDTH, FINAL_WIDTH, BATCH = 1024, 512, 64
RATES = {"SGD": (0.01, 0.03, 0.1), "Adam": (3e-4, 1e-3, 3e-3, 1e-2)}


def main():
    """Train what is not known yet; print and write tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder (default: $FASTBUTTERFLY_DATA)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--times-only", action="store_true", help="measure times again")
    parser.add_argument("--out", type=Path, help="default: studies/results/paper")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    data = images.load(folder)
    seeds, epochs, rates = options.seeds, options.epochs, RATES
    out = options.out or RESULTS
    if options.quick:
        data = images.Images(
            data.name,
            *(part[:256] for part in (data.x_train, data.y_train)),
            *(part[:100] for part in (data.x_test, data.y_test)),
        )
        seeds, epochs, rates = 1, 1, {name: r[1:2] for name, r in RATES.items()}
        out = options.out or RESULTS / "quick"
    settings = {"data": data.name, "epochs": epochs, "train": len(data.x_train)}
    records = Records(out / "vision.json", settings)
    with threadpool_limits(1, user_api="blas"):
        if not options.times_only:
            train_all(records, data, seeds, epochs, rates)
        records.put("times", measure(data, rounds=3 if options.quick else 100))
    text = summary(records.content, data, seeds)
    print(text)
    (out / "vision.md").write_text(text + "\n")
    plot(records.content, seeds, out / "vision.png")
    print(f"written to {out}/vision.json, vision.md and vision.png")


def networks(data):
    """Makers of a network, by name: what is replaced, and by what."""
    n, classes = data.x_train.shape[1], data.classes
    log = math.ceil(math.log2(WIDTH))
    final_log = math.ceil(math.log2(FINAL_WIDTH))

    def hidden(layer, **sizes):
        def make(rng):
            return nn.Sequential(
                layer(n, WIDTH, rng=rng, **sizes),
                nn.ReLU(),
                nn.Dense(WIDTH, classes, rng=rng),
            )

        return make

    def final(layer, k=None):
        def make(rng):
            sizes = {"k_in": k, "k_out": min(k, classes)} if k else {}
            return nn.Sequential(
                nn.Dense(n, FINAL_WIDTH, rng=rng),
                nn.ReLU(),
                layer(FINAL_WIDTH, classes, rng=rng, **sizes),
            )

        return make

    def gadget(k):
        return hidden(nn.ButterflyDense, k_in=k, k_out=k)

    return {
        "hidden: dense": hidden(nn.Dense),
        "hidden: gadget, log n": gadget(log),
        "hidden: gadget, 2 log n": gadget(2 * log),
        "hidden: gadget, n/5": gadget(WIDTH // 5),
        "hidden: butterfly": hidden(nn.ButterflyLinear),
        "final: dense": final(nn.Dense),
        "final: gadget, log n": final(nn.ButterflyDense, final_log),
        "final: gadget, 2 log n": final(nn.ButterflyDense, 2 * final_log),
    }


def replaced(name, net):
    """The layer that the name speaks of."""
    return net.layers[0 if name.startswith("hidden") else -1]


def train(make, data, optimizer, rate, seed, epochs):
    """One run: test or validation accuracies after each epoch, in percent."""
    (x, y), held_out = data
    net = make(np.random.default_rng(seed))
    lr = nn.cosine(rate, epochs * -(-len(x) // BATCH))
    step = nn.SGD(lr, momentum=0.9) if optimizer == "SGD" else nn.Adam(lr)
    options = {"epochs": epochs, "batch_size": BATCH, "rng": seed, "progress": False}
    try:
        history = nn.fit(
            net,
            x,
            y,
            loss=nn.CrossEntropy(),
            optimizer=step,
            validation=held_out,
            **options,
        )
    except nn.DivergenceError:
        return {"accuracy": [0.0] * epochs, "seconds": 0.0}
    if history.interrupted:
        raise KeyboardInterrupt
    curve = [round(100 * a, 3) for a in history.validation_accuracy]
    return {"accuracy": curve, "seconds": round(sum(history.seconds), 3)}


def train_all(records, data, seeds, epochs, rates):
    """Choose the rates, then train all seeds."""
    cut = len(data.x_train) * 7 // 8
    parts = [(a[:cut], a[cut:]) for a in (data.x_train, data.y_train)]
    choosing = [tuple(part[i] for part in parts) for i in range(2)]
    full = (data.x_train, data.y_train), (data.x_test, data.y_test)
    tasks = [(name, step) for name in networks(data) for step in rates]
    for name, step in tqdm(tasks, desc="vision", disable=None):
        make = networks(data)[name]

        def choose(make=make, step=step):
            accuracies = {
                rate: train(make, choosing, step, rate, 0, epochs)["accuracy"][-1]
                for rate in rates[step]
            }
            return {
                "best": max(accuracies, key=accuracies.get),
                "accuracies": accuracies,
            }

        rate = records.get("rates", f"{name}, {step}", choose)["best"]
        for seed in range(seeds):
            records.get(
                "runs",
                f"{name}, {step}, seed {seed}",
                lambda seed=seed, make=make, step=step, rate=rate: train(
                    make, full, step, rate, seed, epochs
                ),
            )


def measure(data, rounds):
    """Microseconds of a training step, of 256 predictions and of one."""
    rng = np.random.default_rng(0)
    nets = {name: make(rng) for name, make in networks(data).items()}
    x, y, many = data.x_train[:BATCH], data.y_train[:BATCH], data.x_train[:256]
    steps = {
        name: timing.training_step(
            net, nn.CrossEntropy(), nn.SGD(1e-3, momentum=0.9), x, y, rng
        )
        for name, net in nets.items()
    }
    calls = {
        "step": steps,
        "256 images": {name: lambda net=net: net(many) for name, net in nets.items()},
        "one image": {name: lambda net=net: net(x[:1]) for name, net in nets.items()},
    }
    return {what: timing.times(functions, rounds) for what, functions in calls.items()}


def final_accuracies(content, name, step, seeds):
    """After the last epoch, of each seed."""
    runs = content["runs"]
    return [runs[f"{name}, {step}, seed {k}"]["accuracy"][-1] for k in range(seeds)]


def summary(content, data, seeds):
    """The table, and which of the paper's claims hold."""
    rows, facts, times = [], {}, content["times"]
    for name, make in networks(data).items():
        net = make(np.random.default_rng(0))
        by_step = {step: final_accuracies(content, name, step, seeds) for step in RATES}
        best = max(by_step.values(), key=mean)
        facts[name] = {"accuracy": mean(best), "weights": replaced(name, net).n_weights}
        facts[name] |= {what: times[what][name][0] for what in times}
        row = [name, *map(report.spread, by_step.values())]
        row += [f"{facts[name]['weights']:,}", f"{net.n_weights:,}"]
        rows.append(row + [f"{facts[name][what]:,.0f}" for what in times])
    columns = ["replaced: by", *(f"{step}, %" for step in RATES), "layer's weights"]
    columns += ["all weights", *(f"{what}, us" for what in times)]
    settings = content["settings"]
    intro = (
        f"Data: {settings['data']}; {seeds} seeds, {settings['epochs']} epochs; times "
        "are means of 100."
    )
    verdicts = report.verdicts(claims(content, facts, seeds))
    return "\n\n".join([intro, report.table(columns, rows), verdicts])


def claims(content, facts, seeds):
    """What the paper says, and what holds here."""
    holds = {}
    for name, fact in facts.items():
        part, kind = name.split(": ")
        if kind == "dense":
            continue
        dense = facts[f"{part}: dense"]
        gap = dense["accuracy"] - fact["accuracy"]
        ratio = dense["weights"] / fact["weights"]
        holds[f"{name}: within 1 point of dense ({-gap:+.2f})"] = gap <= 1
        holds[f"{name}: 20x fewer weights in the layer ({ratio:.1f}x)"] = ratio >= 20
        for what in ("step", "256 images", "one image"):
            speed = dense[what] / fact[what]
            holds[f"{name}: {what} faster than dense ({speed:.2f}x)"] = speed > 1
    for name in ("hidden: butterfly", "final: gadget, log n"):
        dense = f"{name.split(': ')[0]}: dense"
        first = early(content, name, "SGD", seeds), early(content, dense, "Adam", seeds)
        text = f"{name} with SGD is ahead of dense with Adam after the first epoch "
        holds[text + f"({first[0]:.2f} against {first[1]:.2f})"] = first[0] > first[1]
    return holds


def early(content, name, step, seeds):
    """Mean accuracy after the first epoch."""
    runs = content["runs"]
    return mean(runs[f"{name}, {step}, seed {k}"]["accuracy"][0] for k in range(seeds))


def plot(content, seeds, path):
    """Accuracies by epoch, one panel for each layer that is replaced."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    names = list(dict.fromkeys(key.rsplit(", ", 2)[0] for key in content["runs"]))
    for axes, part in zip(figure.subplots(1, 2), ("hidden", "final"), strict=True):
        members = [name for name in names if name.startswith(part)]
        for color, name in enumerate(members):
            for step, style in (("SGD", "-"), ("Adam", ":")):
                runs = [
                    content["runs"][f"{name}, {step}, seed {k}"]["accuracy"]
                    for k in range(seeds)
                ]
                curve = np.mean(runs, axis=0)
                label = f"{name.split(': ')[1]}, {step}"
                axes.plot(
                    range(1, len(curve) + 1),
                    curve,
                    style,
                    color=f"C{color}",
                    marker=".",
                    label=label,
                )
        title = f"{part} layer replaced"
        axes.set(xlabel="epoch", ylabel="test accuracy, %", title=title)
        axes.legend(fontsize=7, ncols=2)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
