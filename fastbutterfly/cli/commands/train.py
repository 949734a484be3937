"""train: a network from a table."""

import sys
import warnings
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from .. import output_files, saved_model, standardize
from .. import table as tables

FEW = 20  # different whole numbers that are classes
EXACT = 2**53  # below, different whole numbers are different in double precision


@dataclass
class Goal:
    """What is to be predicted: numbers, or numbers of `classes` (else None)."""

    task: str
    values: NDArray
    classes: NDArray | None = None

    def __str__(self):
        classes = "" if self.classes is None else f", {len(self.classes)} classes"
        return self.task + classes


def run(options):
    """Read, train, score, save; say what was done."""
    from ...sklearn import ButterflyClassifier  # noqa: F401, fails early if missing

    output_files.check(options.output, sources=[options.data])
    if options.target in options.drop:
        options.fail(f"argument --drop: {options.target!r} is the target")
    table = tables.for_training(options.data, options.target, options.drop)
    goal = _goal(table, options)
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
    model.net.save(options.output, about=model.names)
    size = output_files.size(options.output)
    print(f"wrote {options.output}: {model.net.n_weights:,} weights, {size}")


def _goal(table, options):
    """The task, by the target if it is not given, and the targets as numbers."""
    source, name, target = table.source, options.target, np.asarray(table.target)
    try:
        values = target.astype(np.float64)
    except ValueError:
        values = None
    if values is not None and not np.isfinite(values).all():
        raise ValueError(
            f"{source} must have a finite {name!r} in each row, has "
            f"{values[~np.isfinite(values)][0]}; fill in or remove such rows"
        )
    whole = values is not None and not (values % 1).any()
    few = whole and len(np.unique(values)) <= FEW
    task = options.task or ("classification" if values is None or few else "regression")
    if task == "regression":
        if values is None:
            raise ValueError(
                f"{source} must have numbers as {name!r} for a regression, has text"
            )
        return Goal(task, values)
    exact = values is not None and (np.abs(values) < EXACT).all()
    _, first, numbers = np.unique(
        values if exact else target, return_index=True, return_inverse=True
    )
    if len(first) < 2:
        raise ValueError(
            f"{source} must have two classes at least in {name!r}, got {len(first)}"
        )
    classes = target[first]  # as they are written, if they are
    if whole and classes.dtype.kind in "bf":
        classes = np.array([int(one) for one in classes])
    return Goal(task, numbers, classes.astype(str))


def _split(table, goal, options):
    """Rows to train on, and rows to score with."""
    from sklearn.model_selection import train_test_split

    rows, held = len(table.samples), options.holdout
    if rows < 2:
        raise ValueError(f"{table.source} must have two rows at least, got {rows}")
    if not held:
        return np.arange(rows), np.arange(0)
    if held * rows > rows - 1:
        raise ValueError(f"--holdout {held:g} of {rows} rows leaves none to train on")
    common = {"test_size": held, "random_state": options.seed}
    shares = None if goal.classes is None else goal.values
    try:
        return train_test_split(np.arange(rows), stratify=shares, **common)
    except ValueError:  # a class with one row, or more classes than rows held out
        used, held = train_test_split(np.arange(rows), **common)
    if goal.classes is None:
        return used, held
    unknown = ~np.isin(goal.values[held], goal.values[used])  # would be no class
    return np.append(used, held[unknown]), held[~unknown]


def _fitted(table, goal, used, options):
    """The model, of the numbers as they are in the table, and the epochs it took."""
    from ...sklearn import ButterflyClassifier, ButterflyRegressor

    X, names = table.samples[used], table.names
    mean, deviation = standardize.moments(X, names)
    if goal.classes is None:
        standardize.moments(goal.values[used, np.newaxis], [options.target])
    kind = ButterflyRegressor if goal.classes is None else ButterflyClassifier
    estimator = kind(
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
    _tell(caught)
    net, classes = estimator.network_, None
    standardize.fold_inputs(net, mean, deviation)
    if goal.classes is None:
        standardize.fold_outputs(net, estimator.y_mean_, estimator.y_scale_)
    else:
        classes = goal.classes[estimator.classes_].tolist()
    model = saved_model.Model(net, goal.task, options.target, names, classes)
    return model, estimator.n_iter_


def _tell(caught):
    """Go on after warnings, but not after Ctrl-C, which nn.fit turns into one."""
    for one in caught:
        if "interrupted" in str(one.message):
            raise KeyboardInterrupt
        if "max_iter" in str(one.message):
            print("the loss still falls: more --epochs may help", file=sys.stderr)


def _score(model, X, goal, values):
    """How well the model does, in words."""
    y = saved_model.outputs(model, X)
    if goal.classes is not None:
        found = np.array(model.classes)[y.argmax(axis=1)]
        return f"{100 * np.mean(found == goal.classes[values]):.1f} % right"
    error = np.sqrt(np.mean((y[:, 0] - values) ** 2))
    deviation = values.std()
    share = f"R2 {1 - (error / deviation) ** 2:.3f}, " if deviation else ""
    return f"{share}root mean square error {error:.4g}"
