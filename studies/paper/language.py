"""The paper's language experiment: tagging words with a butterfly as the hidden layer.

Part-of-speech tagging (Penn Treebank tags, UD English-EWT) and named-entity recognition
(WNUT-17, F1 of spans as conlleval counts it), from hashed features of a window of five
words: 4096 sparse inputs, a hidden layer of 1024, tags. The hidden layer is dense, a
butterfly, or the paper's gadget (k = log n). As the inputs are sparse, the dense layer
is also computed with a sparse matrix, which is what trains it here: the same network.
Ailon, Leibovich and Nair (2021), Figures 9 and 11, whose taggers are recurrent.

Rates are chosen on the development sets. Writes language.json, language.md and
language.png; a run that is in the JSON file is not done again. --data names the folder
with ud_english_ewt and wnut17; --quick does without, on a few sentences.
"""

import argparse
import math
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import conll
import numpy as np
import report
import spans
import timing
from records import Records
from sparse_dense import SparseDense
from threadpoolctl import threadpool_limits
from tqdm import tqdm
from windows import Batches, Windows

from fastbutterfly import nn

RESULTS = Path(__file__).parent.parent / "results" / "paper"
INPUTS, WIDTH, BATCH, PIECE = 4096, 1024, 128, 4096
RATES = 3e-4, 1e-3, 3e-3
FEW = [[("She", "PRP"), ("reads", "VBZ"), ("books", "NNS")]] * 40
FEW += [[("Ann", "B-person"), ("Lee", "I-person"), ("ran", "O")]] * 40
LITERATURE = """\
Published taggers are better: Stanza (Qi et al., 2020) reports about 96 % for these Penn
tags on English-EWT, and the best of the WNUT-17 shared task an F1 of 41.9 (Aguilar et
al., 2017; Derczynski et al., 2017), with recurrent networks, word vectors and lists of
names. This tagger sees five words and decides on each alone."""


@dataclass(frozen=True)
class Task:
    """Sentences with tags, in three parts; `entities` are scored by F1 of spans."""

    name: str
    train: list
    dev: list
    test: list
    entities: bool
    epochs: int


def main():
    """Train what is not known yet; print and write tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder (default: $FASTBUTTERFLY_DATA)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few seconds, no data")
    parser.add_argument("--times-only", action="store_true", help="measure times again")
    parser.add_argument("--out", type=Path, help="default: studies/results/paper")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    tasks = quick_tasks() if options.quick else real_tasks(folder)
    seeds, rates = (1, RATES[1:2]) if options.quick else (options.seeds, RATES)
    out = options.out or (RESULTS / "quick" if options.quick else RESULTS)
    settings = {task.name: [len(task.train), task.epochs] for task in tasks}
    records = Records(out / "language.json", settings)
    data = {task.name: Data(task) for task in tasks}
    with threadpool_limits(1, user_api="blas"):
        if not options.times_only:
            train_all(records, tasks, data, seeds, rates)
        rounds = 3 if options.quick else 100
        records.put("times", {t.name: measure(data[t.name], rounds) for t in tasks})
    text = summary(records.content, tasks, data, seeds)
    print(text)
    (out / "language.md").write_text(text + "\n")
    plot(records.content, tasks, seeds, out / "language.png")
    print(f"written to {out}/language.json, language.md and language.png")


def real_tasks(folder):
    """The two tasks, or a message that says what is missing."""
    wanted = {
        "part of speech": ("ud_english_ewt", "conllu.gz", conll.read_conllu, 3),
        "named entities": ("wnut17", "conll.gz", conll.read_bio, 6),
    }
    tasks = []
    for name, (place, ending, read, epochs) in wanted.items():
        files = [
            Path(folder or ".") / place / f"{part}.{ending}"
            for part in ("train", "dev", "test")
        ]
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            raise SystemExit(
                f"missing: {', '.join(missing)}. Give the folder with {place} by "
                "--data or FASTBUTTERFLY_DATA; --quick does without."
            )
        parts = [read(path) for path in files]
        tasks.append(Task(name, *parts, name == "named entities", epochs))
    return tasks


def quick_tasks():
    """Tiny ones that need no data."""
    sentences = FEW[:40], FEW[40:]
    names = "part of speech", "named entities"
    return [
        Task(name, part, part[:20], part[:20], name == names[1], 2)
        for name, part in zip(names, sentences, strict=True)
    ]


class Data:
    """A task as numbers: windows and tags of each part."""

    def __init__(self, task):
        self.task = task
        tags = {tag for sentence in task.train for _, tag in sentence}
        self.tags = sorted(tags)
        number = {tag: k for k, tag in enumerate(self.tags)}
        self.parts = {}
        for part in ("train", "dev", "test"):
            sentences = getattr(task, part)
            words = [[word for word, _ in sentence] for sentence in sentences]
            flat = [tag for sentence in sentences for _, tag in sentence]
            # A tag that training does not have is never right.
            codes = np.array([number.get(tag, -1) for tag in flat])
            self.parts[part] = Windows(words, INPUTS), codes

    def predict(self, net, part):
        """Numbers of the tags, piece by piece."""
        windows, codes = self.parts[part]
        pieces = [
            net(windows.sparse(range(start, min(start + PIECE, len(codes)))))
            for start in range(0, len(codes), PIECE)
        ]
        return np.concatenate(pieces).argmax(axis=1)

    def score(self, net, part):
        """Percent of right tags, or F1 of spans."""
        guess, (_, codes) = self.predict(net, part), self.parts[part]
        if not self.task.entities:
            return 100 * float(np.mean(guess == codes))
        true, predicted, start = [], [], 0
        for sentence in getattr(self.task, part):
            stop = start + len(sentence)
            true.append([tag for _, tag in sentence])
            predicted.append([self.tags[k] for k in guess[start:stop]])
            start = stop
        return spans.score(true, predicted)[2]


def networks(tags):
    """Makers of a network, by the hidden layer's name; dense ones compute as CSR."""
    log = math.ceil(math.log2(INPUTS)), math.ceil(math.log2(WIDTH))

    def make(layer, **sizes):
        return lambda rng: nn.Sequential(
            layer(INPUTS, WIDTH, rng=rng, **sizes),
            nn.ReLU(),
            nn.Dense(WIDTH, tags, rng=rng),
        )

    return {
        "dense": make(SparseDense),
        "butterfly": make(nn.ButterflyLinear),
        "gadget, log n": make(nn.ButterflyDense, k_in=log[0], k_out=log[1]),
    }


def train(make, data, rate, seed, epochs, part):
    """One run: the score after each epoch."""
    net, curve = make(np.random.default_rng(seed)), []
    batches = Batches(*data.parts["train"], BATCH, seed)
    lr = nn.cosine(rate, epochs * len(batches))
    history = nn.fit(
        net,
        batches,
        loss=nn.CrossEntropy(),
        optimizer=nn.Adam(lr),
        epochs=epochs,
        rng=seed,
        callbacks=[lambda net, _: curve.append(round(data.score(net, part), 3))],
        progress=False,
    )
    if history.interrupted:
        raise KeyboardInterrupt
    return {"score": curve, "seconds": round(sum(history.seconds), 2)}


def train_all(records, tasks, data, seeds, rates):
    """Choose the rates by one epoch, then train all seeds."""
    todo = [(task, name) for task in tasks for name in networks(2)]
    for task, name in tqdm(todo, desc="language", disable=None):
        given = data[task.name]
        make = networks(len(given.tags))[name]

        def choose(make=make, given=given):
            scores = {
                rate: train(make, given, rate, 0, 1, "dev")["score"][-1]
                for rate in rates
            }
            return {"best": max(scores, key=scores.get), "scores": scores}

        rate = records.get("rates", f"{task.name}, {name}", choose)["best"]
        for seed in range(seeds):
            records.get(
                "runs",
                f"{task.name}, {name}, seed {seed}",
                lambda task=task, make=make, given=given, rate=rate, seed=seed: train(
                    make, given, rate, seed, task.epochs, "test"
                ),
            )


def measure(data, rounds):
    """Microseconds of a step, and of predictions, on words of the training part."""
    rng = np.random.default_rng(0)
    windows, codes = data.parts["train"]
    rows = np.arange(min(BATCH, len(codes)))
    x, y = windows.sparse(rows), codes[rows]
    makers = networks(len(data.tags))
    nets = {name: make(rng) for name, make in makers.items()}
    dense = nn.Sequential(
        nn.Dense(INPUTS, WIDTH, rng=rng), nn.ReLU(), nn.Dense(WIDTH, len(data.tags))
    )
    nets = {"dense": dense, "dense, as CSR": nets.pop("dense"), **nets}
    inputs = {name: x if name == "dense, as CSR" else x.toarray() for name in nets}
    steps, many, single = {}, {}, {}
    for name, net in nets.items():
        given = inputs[name]
        first = given[:1]
        step = nn.Adam(1e-3)
        steps[name] = timing.training_step(net, nn.CrossEntropy(), step, given, y, rng)
        many[name] = lambda net=net, given=given: net.forward(given)
        single[name] = lambda net=net, first=first: net.forward(first)
    calls_by_batch = {"step": steps, f"{BATCH} words": many, "one word": single}
    return {
        what: timing.times(calls, max(3, rounds // 3) if what == "step" else rounds)
        for what, calls in calls_by_batch.items()
    }


def summary(content, tasks, data, seeds):
    """Tables, and which claims hold."""
    text = []
    for task in tasks:
        what = "F1 of spans, %" if task.entities else "right tags, %"
        tags = len(data[task.name].tags)
        times, rows, facts = content["times"][task.name], [], {}
        makers = networks(tags)
        for name in next(iter(times.values())):
            net = makers[name.partition(", as")[0]](np.random.default_rng(0))
            runs = [
                content["runs"][f"{task.name}, {name.partition(', as')[0]}, seed {k}"]
                for k in range(seeds)
            ]
            scores = [run["score"][-1] for run in runs]
            facts[name] = {"score": mean(scores), "weights": net.layers[0].n_weights}
            facts[name] |= {key: found[name][0] for key, found in times.items()}
            row = [name, report.spread(scores), f"{facts[name]['weights']:,}"]
            rows.append(row + [f"{facts[name][key]:,.0f}" for key in times])
        columns = [
            "hidden layer",
            what,
            "its weights",
            *(f"{key}, us" for key in times),
        ]
        title = f"{task.name.capitalize()}, {tags} tags, {task.epochs} epochs"
        text += [f"### {title}, {seeds} seeds", report.table(columns, rows)]
        text.append(report.verdicts(claims(task, facts)))
    return "\n\n".join([*text, LITERATURE])


def claims(task, facts):
    """What is expected, and what holds here."""
    holds, margin = {}, 2 if task.entities else 1
    for name in ("butterfly", "gadget, log n"):
        mine, dense = facts[name], facts["dense"]
        gap = mine["score"] - dense["score"]
        ratio = dense["weights"] / mine["weights"]
        holds[f"{name}: within {margin} of dense ({gap:+.2f})"] = gap >= -margin
        holds[f"{name}: 20x fewer weights in the layer ({ratio:.0f}x)"] = ratio >= 20
        for key in [key for key in mine if key not in ("score", "weights")]:
            for rival in ("dense", "dense, as CSR"):
                speed = facts[rival][key] / mine[key]
                holds[f"{name}: {key} faster than {rival} ({speed:.2f}x)"] = speed > 1
    return holds


def plot(content, tasks, seeds, path):
    """Scores on the test part after each epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, task in zip(figure.subplots(1, len(tasks)), tasks, strict=True):
        for name in networks(2):
            runs = [
                content["runs"][f"{task.name}, {name}, seed {k}"]["score"]
                for k in range(seeds)
            ]
            curve = np.mean(runs, axis=0)
            axes.plot(range(1, len(curve) + 1), curve, marker=".", label=name)
        what = "F1 of spans, %" if task.entities else "right tags, %"
        axes.set(xlabel="epoch", ylabel=f"{what} (test)", title=task.name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
