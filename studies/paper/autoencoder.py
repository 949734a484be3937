"""The paper's autoencoders: the error of D E B X, against k, beside PCA's.

Gaussian matrices of rank 32 and 64, digits, faces and one band of a photograph, as in
the paper's Table 2 and Figures 2 and 13 (Ailon, Leibovich and Nair, 2021). For each k:
PCA (Delta_k); FJLT + PCA (J_k), which is the encoder-decoder network with E and D in
closed form; the network trained by Adam, all at once; by variable projection, B alone
with the best E and D; and, trained by Adam too, the network with a dense encoder.

Writes autoencoder.json, .md and .png; a run that is in the JSON file is not done again.
--data names the folder with mnist and olivetti, without which they are left out.
"""

import argparse
import os
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
KS = 1, 2, 4, 8, 16, 32, 64
EPOCHS, BATCH, RATE = 500, 512, 1e-2
WAYS = {
    "FJLT + PCA": "J_k",
    "network, Adam": "trained at once",
    "network, B alone": "variable projection",
    "dense encoder, Adam": "D E X",
}


def main():
    """Train what is not known yet; print and write the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="folder (default: $FASTBUTTERFLY_DATA)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a few seconds, no data")
    parser.add_argument("--out", type=Path, help="default: studies/results/paper")
    options = parser.parse_args()
    folder = options.data or os.environ.get("FASTBUTTERFLY_DATA")
    sets = {"Gaussian 1": lambda: matrices.gaussian(8, 64, 64)}
    seeds, epochs, ks = 1, 20, (1, 2)
    if not options.quick:
        sets, seeds, epochs, ks = real_sets(folder), options.seeds, EPOCHS, KS
    out = options.out or (RESULTS / "quick" if options.quick else RESULTS)
    records = Records(out / "autoencoder.json", {"epochs": epochs, "rate": RATE})
    with threadpool_limits(1, user_api="blas"):
        for name, make in sets.items():
            run_all(records, name, make(), ks, seeds, epochs)
    text = summary(records.content, sets, seeds)
    print(text)
    (out / "autoencoder.md").write_text(text + "\n")
    plot(records.content, sets, seeds, out / "autoencoder.png")
    print(f"written to {out}/autoencoder.json, autoencoder.md and autoencoder.png")


def real_sets(folder):
    """Makers of matrices, columns as data points."""
    sets = {
        "Gaussian 1": lambda: matrices.gaussian(32),
        "Gaussian 2": lambda: matrices.gaussian(64),
        "digits, 8 x 8": matrices.small_digits,
        "band": lambda: matrices.bands()[40],
    }
    for name, file, make in (
        ("MNIST", matrices.MNIST, matrices.mnist),
        ("Olivetti", matrices.OLIVETTI, matrices.olivetti),
    ):
        if folder and list(Path(folder).rglob(file)):
            sets[name] = lambda make=make: make(folder)
        else:
            print(f"no {file} in the folder of --data: {name} is left out")
    return sets


def outputs(k):
    """Those of the butterfly: k (floor(log2(k + 1)) + 1), at least 2."""
    return max(2, k * int(np.log2(k + 1) + 1))


def run_all(records, name, X, ks, seeds, epochs):
    """All ways for all k and seeds."""
    rows = np.ascontiguousarray(X.T)
    squares = np.linalg.svd(X, compute_uv=False) ** 2
    ks = [k for k in ks if k < len(squares) and outputs(k) <= len(X)]
    ks = [k for k in ks if k <= np.count_nonzero(squares > 1e-12 * squares[0])]
    best = {k: float(squares[k:].sum()) for k in ks}
    records.content.setdefault("sets", {})[name] = {
        "shape": X.shape,
        "norm": float(squares.sum()),
        "best": best,
    }
    records.write()
    for k, way in tqdm([(k, way) for k in ks for way in WAYS], name, disable=None):
        for seed in range(seeds):
            records.get(
                "runs",
                f"{name}, k={k}, {way}, seed {seed}",
                lambda k=k, way=way, seed=seed: run(way, rows, k, seed, epochs),
            )


def run(way, rows, k, seed, epochs):
    """Error |Y - X|^2, in double precision, and seconds."""
    n, dtype = rows.shape[1], np.float32 if "Adam" in way else np.float64
    if way == "dense encoder, Adam":
        net = nn.Sequential(
            nn.Dense(n, k, bias=False, rng=seed), nn.Dense(k, n, bias=False, rng=seed)
        )
    else:
        net = nn.EncoderDecoder(n, n, k=k, l=outputs(k), rng=seed, dtype=dtype)
    x, seconds = rows.astype(dtype), None
    if way == "FJLT + PCA":
        net.solve(x)
    elif way == "network, B alone":
        history = nn.variable_projection(net, x, max_iter=100)
        seconds = sum(history.seconds)
    else:
        # A scale that suits the rate: entries of mean square 1.
        x = x / np.sqrt(np.mean(np.square(x)))
        steps = epochs * -(-len(x) // BATCH)
        history = nn.fit(
            net,
            x,
            x,
            loss=nn.MSE(),
            optimizer=nn.Adam(nn.cosine(RATE, steps)),
            batch_size=BATCH,
            epochs=epochs,
            rng=seed,
            progress=False,
        )
        seconds = sum(history.seconds)
    error = float(np.square(net(rows).astype(float) - rows).sum())
    return {"error": error, "seconds": seconds}


def errors(content, name, k, way, seeds):
    """Of each seed."""
    runs = content["runs"]
    return [runs[f"{name}, k={k}, {way}, seed {s}"]["error"] for s in range(seeds)]


def summary(content, sets, seeds):
    """A table for each set, and what the paper claims."""
    parts, claims = [], {}
    for name in sets:
        given = content["sets"][name]
        rows = []
        for k, best in given["best"].items():
            k, share = int(k), best / given["norm"]
            rounding = best <= 1e-9 * given["norm"]
            row = [k, outputs(k), f"{0.0 if rounding else share:.4f}"]
            for way in WAYS:
                error = mean(errors(content, name, k, way, seeds))
                row.append(
                    f"{error / given['norm']:.1e} of all"
                    if rounding
                    else f"{error / best:.4f}"
                )
                close = error <= (1e-4 * given["norm"] if rounding else 1.01 * best)
                if way.startswith("network") and k >= 4:
                    claims[f"{name}, k = {k}: {way} within 1 % of PCA"] = close
            rows.append(row)
        columns = ["k", "l", "PCA, of all", *WAYS]
        n, d = given["shape"]
        table = report.table(columns, rows)
        parts.append(f"### {name}, {n} x {d}: error, in units of PCA's\n\n{table}")
    return "\n\n".join([*parts, report.verdicts(claims)])


def plot(content, sets, seeds, path):
    """Error against k, of all and in units of PCA's; a column for each set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.8 * len(sets), 5.5), layout="constrained")
    panels = figure.subplots(2, len(sets), squeeze=False)
    for (above, below), name in zip(panels.T, sets, strict=True):
        given = content["sets"][name]
        ks, best = [int(k) for k in given["best"]], np.array([*given["best"].values()])
        sure = best > 1e-9 * given["norm"]
        above.plot(ks, best / given["norm"], "k-", label="PCA")
        below.axhline(1, color="k")
        for way, style in zip(WAYS, ("C1--", "C0o", "C2x", "C3+"), strict=True):
            line = np.array([mean(errors(content, name, k, way, seeds)) for k in ks])
            options = {"label": way, "markersize": 5, "mfc": "none"}
            above.plot(ks, line / given["norm"], style, **options)
            below.plot(np.array(ks)[sure], (line / best)[sure], style, **options)
        above.set(ylabel="error / |X|²", title=name, ylim=(0, None))
        below.set(ylabel="error / PCA's", xlabel="k", yscale="log")
        for axes in (above, below):
            axes.set_xscale("log", base=2)
            axes.grid(alpha=0.3)
    panels[0, 0].legend(fontsize=7)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
