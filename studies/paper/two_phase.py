"""The paper's two-phase training of an autoencoder, on one natural image.

The columns of a grey photograph, rows in random order, are the data; l is
k log2(k) + k, at least 2. Phase 1 trains D and E with B, an FJLT, at rest: in closed
form and by Adam. Phase 2 trains everything from there. Beside them: PCA (Delta_k),
FJLT + PCA (J_k), training everything from the start, and variable projection (Ailon,
Leibovich and Nair, 2021, Section 6.3 and Figure 3).

Writes two_phase.json, .md and .png; a run that is in the JSON file is not done again.
"""

import argparse
import math
from pathlib import Path
from statistics import mean

import matrices
import numpy as np
import report
from records import Records
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from fastbutterfly import nn

RESULTS = Path(__file__).parent.parent / "results" / "paper"
KS = 1, 2, 4, 8, 16, 32
EPOCHS, RATE = 6000, 1e-2
COLUMNS = {
    "j": "FJLT + PCA = phase 1, exact",
    "phase 1": "phase 1, Adam",
    "phase 2": "phase 2, after exact",
    "phase 2 (Adam)": "phase 2, after Adam",
    "joint": "all at once",
    "vp": "B alone",
}


def main():
    """Train what is not known yet; print and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few seconds")
    parser.add_argument("--out", type=Path, help="default: studies/results/paper")
    options = parser.parse_args()
    out = options.out or (RESULTS / "quick" if options.quick else RESULTS)
    if options.quick:
        X, name, ks, seeds, epochs = (
            matrices.gaussian(8, 64, 64),
            "quick",
            (1, 2),
            1,
            20,
        )
    else:
        X, name = matrices.photograph()
        ks, seeds, epochs = KS, options.seeds, EPOCHS
    records = Records(out / "two_phase.json", {"data": name, "epochs": epochs})
    rows = np.ascontiguousarray(X.T)
    with threadpool_limits(1, user_api="blas"):
        for k in tqdm(ks, "two phases", disable=None):
            for seed in range(seeds):
                records.get(
                    "runs",
                    f"k={k}, seed {seed}",
                    lambda k=k, seed=seed: train(rows, k, seed, epochs),
                )
    squares = np.linalg.svd(X, compute_uv=False) ** 2
    best = {k: float(squares[k:].sum()) for k in ks}
    text = summary(records.content, name, X.shape, best, seeds)
    print(text)
    (out / "two_phase.md").write_text(text + "\n")
    plot(records.content, best, seeds, out / "two_phase.png")
    print(f"written to {out}/two_phase.json, two_phase.md and two_phase.png")


def outputs(k):
    """Those of the butterfly."""
    return max(2, round(k * math.log2(k) + k))


def train(rows, k, seed, epochs):
    """Errors |Y - X|^2 of each way."""
    n, scale = rows.shape[1], np.sqrt(np.mean(np.square(rows)))
    x = (rows / scale).astype(np.float32)

    def fresh(dtype=np.float32):
        return nn.EncoderDecoder(n, n, k=k, l=outputs(k), rng=seed, dtype=dtype)

    def options(rate):
        adam = nn.Adam(nn.cosine(rate, epochs))
        common = {"epochs": epochs, "batch_size": len(x), "rng": seed}
        return {"optimizer": adam, "progress": False, **common}

    errors = {}
    net = fresh(np.float64)
    errors["j"] = net.solve(rows).loss
    nn.variable_projection(net, rows, max_iter=200)
    errors["vp"] = _error(net, rows, 1)
    net = fresh()
    nn.two_phase(net, x, **options(RATE / 10))
    errors["phase 2"] = _error(net, x, scale)
    net = fresh()
    after = nn.two_phase(net, x, exact=False, **options(RATE))
    errors["phase 1"] = after.losses[0] * float(scale) ** 2
    errors["phase 2 (Adam)"] = _error(net, x, scale)
    net = fresh()
    nn.fit(net, x, x, loss=nn.MSE(), **options(RATE))
    errors["joint"] = _error(net, x, scale)
    return errors


def _error(net, x, scale):
    return float(np.square(net(x).astype(float) - x).sum()) * float(scale) ** 2


def means(content, k, seeds):
    """Of the seeds, by way."""
    runs = [content["runs"][f"k={k}, seed {seed}"] for seed in range(seeds)]
    return {way: mean(run[way] for run in runs) for way in COLUMNS}


def summary(content, name, shape, best, seeds):
    """The table, and what should hold."""
    rows, claims = [], {}
    for k, lowest in best.items():
        errors = means(content, k, seeds)
        ratios = {way: errors[way] / lowest for way in COLUMNS}
        rows.append(
            [k, outputs(k), f"{lowest:.1f}", *(f"{r:.4f}" for r in ratios.values())]
        )
        claims[f"k = {k}: phase 1 by Adam within 1 % of the closed form"] = (
            errors["phase 1"] <= 1.01 * errors["j"]
        )
        claims[f"k = {k}: phase 2 improves on phase 1"] = (
            errors["phase 2"] < errors["j"]
        )
        for way in ("phase 2", "phase 2 (Adam)", "joint", "vp"):
            limit = 1.015 if way.startswith("phase") else 1.01
            text = f"k = {k}: {COLUMNS[way]} within {100 * (limit - 1):.1f} % of PCA"
            claims[text] = ratios[way] <= limit
    columns = ["k", "l", "PCA: Delta_k", *COLUMNS.values()]
    head = (
        f"Image: {name}, {shape[0]} x {shape[1]}; {seeds} seeds; in units of Delta_k."
    )
    return "\n\n".join([head, report.table(columns, rows), report.verdicts(claims)])


def plot(content, best, seeds, path):
    """Error against k, and the same relative to PCA."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    ks = list(best)
    left.plot(ks, list(best.values()), "k-", label="PCA")
    for way, style in zip(
        COLUMNS, ("C1--", "rs", "C2x", "g^", "C0o", "C4+"), strict=True
    ):
        line = np.array([means(content, k, seeds)[way] for k in ks])
        options = {"label": COLUMNS[way], "mfc": "none"}
        left.plot(ks, line, style, **options)
        right.plot(ks, line / list(best.values()), style, **options)
    left.set(xlabel="k", ylabel="error", yscale="log")
    right.set(xlabel="k", ylabel="error / PCA's")
    right.axhline(1, color="k")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.grid(alpha=0.3)
    left.legend(fontsize=7)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
