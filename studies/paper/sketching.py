"""The paper's sketches for low-rank approximation, learned and not (its Table 4).

Sets of matrices with one number of rows: squares of photographs, 32 x 32, in place of
CIFAR-10; bands of one colour photograph in place of HS-SOD, split into bands as the
paper's program does (same scene), and bands of different photographs (cross-scene);
words by sentences of English-EWT in place of Tech. For each k and l the excess of the
error over the best one, of a random count sketch, a Gaussian one, an FJLT, learned
sparse ones (N non-zeros a column), a learned dense one, a learned butterfly, and the
closed form, the best directions of all training matrices. With `--data` also CIFAR-10,
HS-SOD and Tech, if the folder has them.

Writes sketching.json, .md and .png; a run that is in the JSON file is not done again.
"""

import argparse
import os
from pathlib import Path
from statistics import mean

import numpy as np
import report
import sets as matrix_sets
from records import Records
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fastbutterfly import nn, sketch

RESULTS = Path(__file__).parent.parent / "results" / "paper"
RANDOM = {
    "count sketch": sketch.count_sketch,
    "Gaussian": sketch.gaussian,
    "FJLT": sketch.fjlt,
}
LEARNED = {
    "learned sparse": {"kind": "sparse"},
    "learned, N = 5": {"kind": "sparse", "nonzeros": 5},
    "learned dense": {"kind": "dense"},
    "learned butterfly": {"kind": "butterfly"},
}
METHODS = (*RANDOM, *LEARNED, "closed form")
METRICS = "squared", "norm", "relative"
DRAWS, RATE = 10, 1e-2
GRID = [(1, 5), (1, 10), (10, 10), (10, 20), (10, 40), (20, 20), (20, 40)]
GRID += [(30, 30), (30, 60)]
FOCUS = 10, 20  # k, l of the curves and of the sweep of N
SWEEP_N = 1, 2, 5, 10, 15, 20
SWEEP_L = 10, 20, 40, 60, 80


def main():
    """Learn what is not known yet; print and write the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder (default: $FASTBUTTERFLY_DATA)")
    parser.add_argument("--seeds", type=int, help="default: 3, or 1 for large ones")
    parser.add_argument("--quick", action="store_true", help="a few seconds, no data")
    parser.add_argument("--out", type=Path, help="default: studies/results/paper")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    sets = matrix_sets.quick() if options.quick else matrix_sets.real(folder)
    seeds = {s.name: options.seeds or s.seeds for s in sets}
    out = options.out or (RESULTS / "quick" if options.quick else RESULTS)
    steps = {given.name: given.steps for given in sets}
    records = Records(out / "sketching.json", {"steps": steps, "rate": RATE})
    with threadpool_limits(1, user_api="blas"):
        for given in sets:
            Experiment(given, records, seeds[given.name]).run()
    text = summary(records.content, sets, seeds)
    print(text)
    (out / "sketching.md").write_text(text + "\n")
    plot(records.content, sets, seeds, out / "sketching.png")
    print(f"written to {out}/sketching.json, sketching.md and sketching.png")


def grid(n, d):
    """Pairs k, l that this size allows."""
    return [(k, l) for k, l in GRID if l <= n and k < min(n, d)]


class Experiment:
    """One set of matrices."""

    def __init__(self, given, records, seeds):
        self.given, self.records, self.seeds = given, records, seeds
        self.train, self.test = given.make()
        self.n, self.d = self.train[0].shape
        self._best = {}

    def run(self):
        """All methods of the grid, and the sweeps."""
        name = self.given.name
        self.records.content.setdefault("sets", {})[name] = [self.n, self.d]
        tasks = [(k, l, method) for k, l in grid(self.n, self.d) for method in METHODS]
        k, largest = FOCUS[0], min(self.n, self.d)
        if self.given.sweeps and k < largest:
            tasks += [(*FOCUS, f"learned, N = {N}") for N in SWEEP_N]
            tasks += [(k, l, m) for l in SWEEP_L if l <= self.n for m in METHODS]
        for k, l, method in tqdm(tasks, name, disable=None):
            for seed in range(1 if method == "closed form" else self.seeds):
                self.records.get(
                    "runs",
                    f"{name}, k={k}, l={l}, {method}, seed {seed}",
                    lambda k=k, l=l, m=method, seed=seed: self.one(k, l, m, seed),
                )

    def one(self, k, l, method, seed):
        """Excess in each metric, and for a learned one the curve and seconds."""
        if method in RANDOM:
            scores = [
                self.excess(RANDOM[method](l, self.n, rng=DRAWS * seed + i), k)
                for i in range(DRAWS)
            ]
            return {m: mean(score[m] for score in scores) for m in METRICS}
        if method == "closed form":
            return self.excess(sketch.optimal(self.train, l), k)
        options = LEARNED.get(method) or {
            "kind": "sparse",
            "nonzeros": int(method.split("=")[1]),
        }
        if options.get("nonzeros", 1) > l:
            options = {"kind": "dense"}
        steps = self.given.steps
        curve = []

        def follow(step, S):
            if (k, l) == FOCUS and seed == 0:
                curve.append((step, self.excess(S, k)["norm"]))

        learned = sketch.learn(
            self.train,
            l,
            k,
            steps=steps,
            batch_size=self.given.batch_size,
            optimizer=nn.Adam(nn.cosine(RATE, steps)),
            every=max(steps // 20, 1),
            rng=seed,
            callback=follow,
            **options,
        )
        if learned.interrupted:
            raise KeyboardInterrupt
        more = {"curve": curve, "seconds": round(learned.seconds, 2)}
        return self.excess(learned.sketch, k) | more

    def excess(self, S, k):
        """Of the test matrices, in each metric."""
        if k not in self._best:
            self._best[k] = sketch.best_errors(self.test, k)
        squares, best = sketch.errors(self.test, S, k), self._best[k]
        norms, lowest = np.sqrt(squares), np.sqrt(best)
        values = squares - best, norms - lowest, (norms - lowest) / lowest
        return {
            metric: float(np.mean(value))
            for metric, value in zip(METRICS, values, strict=True)
        }


def score(content, name, k, l, method, seeds, metric="norm"):
    """Mean of the seeds."""
    if method == "closed form":
        seeds = 1
    runs = content["runs"]
    keys = [f"{name}, k={k}, l={l}, {method}, seed {seed}" for seed in range(seeds)]
    return mean(runs[key][metric] for key in keys)


def summary(content, given_sets, all_seeds):
    """A table in the paper's form for each set and metric, and its claims."""
    parts = []
    claims = {}
    for given in given_sets:
        name, (n, d) = given.name, content["sets"][given.name]
        seeds = all_seeds[name]
        for metric in METRICS:
            rows = []
            for k, l in grid(n, d):
                values = [score(content, name, k, l, m, seeds, metric) for m in METHODS]
                paper = matrix_sets.PAPER.get(given.paper, {}).get((k, l), "")
                rows.append([f"{k}, {l}", *(f"{v:.3g}" for v in values), paper])
            head = f"### {name}, {n} x {d}: excess, {metric}"
            names = ["k, l", *METHODS, given.paper_column]
            parts.append(f"{head}\n\n{report.table(names, rows)}")
        for k, l in grid(n, d):
            scores = {m: score(content, name, k, l, m, seeds) for m in METHODS}
            ours = scores["learned butterfly"]
            for rival in ("learned sparse", "FJLT", "learned dense"):
                ratio = scores[rival] / ours
                text = f"learned butterfly better than {rival} ({ratio:.2f}x)"
                claims[f"{name}, k = {k}, l = {l}: {text}"] = ratio > 1
    return "\n\n".join([*parts, report.verdicts(claims)])


def plot(content, sets, all_seeds, path):
    """Bars for each set, errors in training, and the sweeps of N and l."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(sets), 10), layout="constrained")
    panels = figure.subplots(3, len(sets), squeeze=False)
    for (bars, curves, sweep), given in zip(panels.T, sets, strict=True):
        name, (n, d) = given.name, content["sets"][given.name]
        seeds = all_seeds[name]
        k, l = FOCUS if FOCUS in grid(n, d) else grid(n, d)[0]
        values = [score(content, name, k, l, m, seeds) for m in METHODS]
        bars.barh(METHODS[::-1], values[::-1])
        bars.tick_params(axis="x", which="both", rotation=60, labelsize=7)
        bars.set(xscale="log", title=f"{name}, k={k}, l={l}", xlabel="excess, norm")
        for color, method in enumerate(LEARNED):
            run = content["runs"][f"{name}, k={k}, l={l}, {method}, seed 0"]
            if run["curve"]:
                steps, errors = zip(*run["curve"], strict=True)
                curves.plot(steps, errors, color=f"C{color}", label=method)
        curves.set(yscale="log", xlabel="step", ylabel="excess, norm")
        if given.sweeps and (k, l) == FOCUS:
            _sweep(sweep, content, name, n, seeds)
        else:
            sweep.set_axis_off()
        for axes in (bars, curves, sweep):
            axes.grid(alpha=0.3)
    panels[1, 0].legend(fontsize=7)
    figure.savefig(path, dpi=110)


def _sweep(axes, content, name, n, seeds):
    """Excess against l, and of N non-zeros at l = 20."""
    k, l = FOCUS
    ls = [size for size in SWEEP_L if size <= n]
    for color, method in enumerate(LEARNED):
        values = [score(content, name, k, size, method, seeds) for size in ls]
        axes.plot(ls, values, f"C{color}.-", label=method)
    values = [score(content, name, k, l, f"learned, N = {N}", seeds) for N in SWEEP_N]
    axes.plot(SWEEP_N, values, "k:s", label=f"N non-zeros, l = {l}", markersize=3)
    axes.set(yscale="log", xlabel="l, or N", ylabel="excess, norm")
    axes.legend(fontsize=7)


if __name__ == "__main__":
    main()
