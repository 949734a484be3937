"""predict: what a model makes of a table, as CSV."""

import csv
import io
import sys

import numpy as np

from .. import output_files, saved_model
from .. import table as tables


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
    found = [[model.classes[i]] for i in y.argmax(axis=1)]
    header = [model.target]
    if probabilities:
        from scipy.special import softmax

        shares = softmax(y.astype(np.float64), axis=1)
        header += [f"P({name})" for name in model.classes]
        found = [
            row + [f"{share:.6g}" for share in more]
            for row, more in zip(found, shares.tolist(), strict=True)
        ]
    writer.writerow(header)
    writer.writerows(found)
