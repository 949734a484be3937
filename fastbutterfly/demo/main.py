"""The main job: train, measure, print, draw."""

import importlib.util
from pathlib import Path
from statistics import mean
from time import perf_counter

from .._base.machine import one_blas_thread
from . import comparison, digits, report

VARIANTS = (
    comparison.DENSE,
    comparison.BUTTERFLY,
    comparison.GADGET,
    comparison.FROZEN_BUTTERFLY,
    comparison.SOFTMAX,
)
NOTES = """\
dense       1024 x 1024 matrix
butterfly   product of 10 sparse layers of 2 x 2 blocks, 20,480 weights
gadget      butterfly to 10 numbers, 10 x 10 matrix, transposed butterfly to 1024
frozen      the butterfly keeps its random start, the rest is trained
All with bias, then ReLU and a dense layer to 10 classes. No hidden layer: softmax
regression. Ratios are to dense. Same training for all: SGD, momentum 0.9, learning
rate 0.05 falling to 0 along a cosine, batches of 64."""
QUICK_EPOCHS = 3


def run(
    *,
    data: Path | None = None,
    seeds: int = 3,
    epochs: int | None = None,
    out: Path = Path("fastbutterfly-demo"),
    quick: bool = False,
) -> list[comparison.Result]:
    """Compare the hidden layers and print a table.

    Parameters
    ----------
    data : Path, optional
        Folder with MNIST; None: the digits bundled with scikit-learn.
    seeds : int
        Runs to average, each with its own start and order of images.
    epochs : int, optional
        None: 60, on MNIST 10.
    out : Path
        Folder for the pictures.
    quick : bool
        One seed, three epochs, few images.

    Returns
    -------
    list of Result
    """
    start = perf_counter()
    if data is None:
        _require("scikit-learn", "sklearn")
    print(report.title(), flush=True)
    images = digits.load(data)
    epochs = epochs or (QUICK_EPOCHS if quick else images.epochs)
    if quick:
        images, seeds = images.head(512, 128), 1
    print(f"Data: {images.name}")
    print(f"{len(images.x_train):,} to train, {len(images.x_test):,} to test\n")
    with one_blas_thread() as pinned:
        results = _results(images, seeds, epochs)
    print(f"\n{report.table(results)}\n\n{NOTES}")
    runs = "1 run" if seeds == 1 else f"mean and deviation of {seeds} runs"
    threads = "BLAS on one thread" if pinned else "BLAS threads as they were"
    print(f"Accuracy: {runs} of {epochs} epochs. Times: {threads}.")
    if not pinned:
        print("To pin BLAS to one thread: pip install threadpoolctl")
    _draw(results, out)
    print(f"Done in {perf_counter() - start:.0f} s.")
    return results


def _results(images, seeds, epochs):
    start = perf_counter()
    for variant in VARIANTS:
        comparison.train(variant, images.head(comparison.BATCH, 64), seed=0, epochs=1)
    print(f"kernels ready in {perf_counter() - start:.1f} s", flush=True)
    trained = [_train(variant, images, seeds, epochs) for variant in VARIANTS]
    results = []
    for variant, runs in zip(VARIANTS, trained, strict=True):
        net = runs[0].net
        seconds = comparison.seconds_per_epoch(net, images)
        microseconds = comparison.microseconds_per_prediction(net, images)
        results.append(comparison.Result(variant.name, runs, seconds, microseconds))
    return results


def _train(variant, images, seeds, epochs):
    start = perf_counter()
    runs = [
        comparison.train(variant, images, seed=seed, epochs=epochs)
        for seed in range(seeds)
    ]
    accuracy, loss = mean(r.accuracy for r in runs), mean(r.loss for r in runs)
    line = f"{variant.name:<18} {accuracy:6.2f} % right, training loss {loss:.4f}"
    print(f"{line}, {perf_counter() - start:5.1f} s", flush=True)
    return runs


def _draw(results, out):
    butterfly = results[VARIANTS.index(comparison.BUTTERFLY)]
    paths = report.save_pictures(results, butterfly, out)
    if paths:
        print("Pictures: " + ", ".join(map(str, paths)))
    else:
        print("No pictures without matplotlib: pip install matplotlib")


def _require(package, module):
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(
            f"the bundled digits need {package}: pip install {package} "
            "(or 'fastbutterfly[demo]'), or pass --data with MNIST's files"
        )
