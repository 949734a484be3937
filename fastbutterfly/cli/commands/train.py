"""train: a network from a table."""

import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

from .. import argument_types, goals, output_files, saved_model, standardize
from .. import table as tables
from ..help_text import DATA

SUMMARY = "train a network on a table"
DETAILS = (
    "The network is that of ButterflyClassifier or ButterflyRegressor. Columns are "
    "standardised, which becomes part of the network: it takes numbers as they are in "
    "the table. Some of the rows are held out from training, to score the network."
)
EXAMPLES = (
    "flowers.csv --target species -o flowers.npz",
    "houses.csv --target price --drop id --hidden 256,128 -o houses.npz",
    "digits.npz --target y --kind gadget --seed 1 -o model.npz",
)


def add_arguments(parser):
    """Add the arguments of the command."""
    _add_data_arguments(parser)
    _add_network_arguments(parser)


def _add_data_arguments(parser):
    parser.add_argument("data", help=DATA)
    parser.add_argument(
        "--target", required=True, metavar="NAME", help="column or array to predict"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the model"
    )
    parser.add_argument(
        "--task",
        choices=("classification", "regression"),
        help="default: classification if the target is text, or at most "
        f"{goals.MAX_INTEGER_CLASSES} different whole numbers",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="NAME",
        help="column to leave out, may be given several times",
    )
    parser.add_argument(
        "--holdout",
        type=argument_types.share,
        metavar="SHARE",
        default=0.2,
        help="share of the rows to score with, 0 for none (default: %(default)s)",
    )


def _add_network_arguments(parser):
    parser.add_argument(
        "--hidden",
        type=argument_types.sizes,
        metavar="N,...",
        default=(256,),
        help="sizes of the hidden layers (default: 256)",
    )
    parser.add_argument(
        "--kind",
        choices=("butterfly", "gadget", "dense"),
        default="butterfly",
        help="of the hidden layers (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs",
        type=argument_types.positive,
        metavar="E",
        default=200,
        help="at most (default: %(default)s); fewer if the loss no longer falls",
    )
    parser.add_argument(
        "--seed", type=argument_types.natural, metavar="N", default=0, help="default: 0"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(options):
    """Read, train, score, save; say what was done."""
    from ... import sklearn  # noqa: F401, fails early if it is not installed

    output_files.check(options.output, sources=[options.data])
    if options.target in options.drop:
        options.fail(f"argument --drop: {options.target!r} is the target")
    table = tables.for_training(options.data, options.target, options.drop)
    goal = goals.read(table, options.target, options.task)
    rows, columns = table.samples.shape
    print(f"{table.source}: {rows:,} rows of {columns:,} numbers; {goal}", flush=True)
    used, held = _split(table, goal, options)
    start = perf_counter()
    model, epochs = _fitted(table, goal, used, options)
    seconds = perf_counter() - start
    print(f"trained on {len(used):,} rows, {epochs} epochs, {seconds:.1f} s")
    if len(held):
        score = _score(model, table.samples[held], goal, goal.values[held])
        print(f"held out {len(held):,} rows: {score}")
    net = model.net
    net.save(options.output, about=model.names)
    size = output_files.size(options.output)
    print(f"wrote {options.output}: {net.n_weights:,} weights, {size}")


def _split(table, goal, options):
    """Rows to train on, and rows to score with."""
    from sklearn.model_selection import train_test_split

    rows, share = len(table.samples), options.holdout
    if rows < 2:
        raise ValueError(f"{table.source} must have two rows at least, got {rows}")
    if not share:
        return np.arange(rows), np.arange(0)
    if share * rows > rows - 1:
        raise ValueError(f"--holdout {share:g} of {rows} rows leaves none to train on")
    common = {"test_size": share, "random_state": options.seed}
    strata = None if goal.classes is None else goal.values
    try:
        return train_test_split(np.arange(rows), stratify=strata, **common)
    except ValueError:  # a class with one row, or more classes than rows held out
        used, held = train_test_split(np.arange(rows), **common)
    if goal.classes is None:
        return used, held
    # A class of held out rows alone would be none of the network's: train on them.
    unknown = ~np.isin(goal.values[held], goal.values[used])
    return np.append(used, held[unknown]), held[~unknown]


def _fitted(table, goal, used, options):
    """The model, for numbers as they are in the table, and the epochs it took."""
    from ...sklearn import ButterflyClassifier, ButterflyRegressor

    X, names = table.samples[used], table.names
    mean, deviation = standardize.moments(X, names)
    if goal.classes is None:
        standardize.moments(goal.values[used, np.newaxis], [options.target])
    Estimator = ButterflyRegressor if goal.classes is None else ButterflyClassifier
    estimator = Estimator(
        options.hidden,
        hidden=options.kind,
        max_iter=options.epochs,
        random_state=options.seed,
        verbose=sys.stderr.isatty() and not options.quiet,
    )
    scaled = ((X - mean) / deviation).astype(np.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(scaled, goal.values[used])
    _report(caught)
    net, classes = estimator.network_, None
    standardize.fold_inputs(net, mean, deviation)
    if goal.classes is None:
        standardize.fold_outputs(net, estimator.y_mean_, estimator.y_scale_)
    else:
        classes = goal.classes[estimator.classes_].tolist()
    model = saved_model.Model(net, goal.task, options.target, names, classes)
    return model, estimator.n_iter_


def _report(caught):
    """Go on after warnings, but not after Ctrl-C, which nn.fit turns into one."""
    for warning in caught:
        if "interrupted" in str(warning.message):
            raise KeyboardInterrupt
        if "max_iter" in str(warning.message):
            print("the loss still falls: more --epochs may help", file=sys.stderr)


def _score(model, X, goal, values):
    """How well the model does, in words."""
    y = saved_model.outputs(model, X)
    if goal.classes is not None:
        predicted = np.array(model.classes)[y.argmax(axis=1)]
        return f"{100 * np.mean(predicted == goal.classes[values]):.1f} % right"
    error = np.sqrt(np.mean((y[:, 0] - values) ** 2))
    deviation = values.std()
    share = f"R2 {1 - (error / deviation) ** 2:.3f}, " if deviation else ""
    return f"{share}root mean square error {error:.4g}"
