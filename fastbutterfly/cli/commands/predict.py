"""predict: the predictions of a model for a table, as CSV."""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from .. import output_files, saved_model
from .. import table as tables
from ..help_text import DATA, MODEL

SUMMARY = "predict with a trained network, as CSV"
DETAILS = (
    "Columns are matched by their names if model and data have names, else by their "
    "order."
)
EXAMPLES = (
    "flowers.npz new.csv",
    "flowers.npz new.csv --probabilities -o predictions.csv",
    "flowers.npz - < new.csv | head",
)


def add_arguments(parser):
    """Add the arguments of the command."""
    parser.add_argument("model", type=Path, help=MODEL)
    parser.add_argument("data", help=DATA)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
    )
    parser.add_argument(
        "--probabilities", action="store_true", help="of all classes, too"
    )


def run(options):
    """Read, predict, write."""
    if options.output is not None:
        output_files.check(options.output, sources=[options.model, options.data])
    model = saved_model.read(options.model)
    if options.probabilities and model.classes is None:
        raise ValueError(
            f"{options.model} must be a classification for probabilities, it is not "
            "one that train wrote"
        )
    X = tables.for_network(options.data, model)
    y = saved_model.outputs(model, X)
    if options.output is None:
        if sys.stdout is None:
            raise OSError("standard output is closed; give a file with -o")
        _write(sys.stdout, model, y, options.probabilities)
        return
    text = io.StringIO()
    _write(text, model, y, options.probabilities)
    output_files.save(options.output, text.getvalue().encode())
    print(f"wrote {options.output}: {len(y):,} predictions")


def _write(file, model, y, probabilities):
    writer = csv.writer(file, lineterminator="\n")
    if model.task is None:
        writer.writerow([f"y{i}" for i in range(y.shape[1])])
        writer.writerows(y.tolist() if y.dtype == np.float64 else y.astype(str))
        return
    if model.classes is None:
        writer.writerow([model.target])
        writer.writerows([[str(value)] for value in y[:, 0]])
        return
    rows = [[model.classes[i]] for i in y.argmax(axis=1)]
    header = [model.target]
    if probabilities:
        from scipy.special import softmax

        shares = softmax(y.astype(np.float64), axis=1).tolist()
        header += [f"P({name})" for name in model.classes]
        rows = [
            row + [f"{share:.6g}" for share in row_shares]
            for row, row_shares in zip(rows, shares, strict=True)
        ]
    writer.writerow(header)
    writer.writerows(rows)
