"""The arguments of all commands; what a command needs is imported when it runs."""

import argparse
import os
from importlib import import_module
from pathlib import Path

from .. import __version__
from . import argument_types

DATA_VARIABLE = "FASTBUTTERFLY_DATA"
DATA = (
    "CSV, with names in its first line unless that has numbers only; - for standard "
    "input; or .npz, with the samples as its only other array, or as X"
)


def parser() -> argparse.ArgumentParser:
    """Make the parser; what it returns has `run`, the command."""
    top = argparse.ArgumentParser(
        prog="fastbutterfly",
        description="Butterfly networks for NumPy.",
        epilog="fastbutterfly COMMAND --help tells more, with examples.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="command")
    for add in (
        _add_demo,
        _add_train,
        _add_predict,
        _add_export,
        _add_info,
        _add_bench,
    ):
        add(commands)
    return top


def _command(commands, name, text, more="", examples=()):
    """A command, done by `run` of the module of that name with an underscore."""
    shown = "".join(f"\n  fastbutterfly {name} {one}".rstrip(" ") for one in examples)
    found = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}. {more}",
        epilog=shown and f"examples:{shown}",
        formatter_class=_Formatter,
    )

    def run(options):
        import_module(f".commands.{name}", __package__).run(options)

    found.set_defaults(run=run, fail=found.error)
    return found


class _Formatter(argparse.HelpFormatter):
    """Wraps all text but the examples."""

    def _fill_text(self, text, width, indent):
        if text.startswith("examples:"):
            return text
        return super()._fill_text(text, width, indent)


def _add_demo(commands):
    text = "train networks on handwritten digits, dense layer against butterfly"
    demo = _command(commands, "demo", text, examples=["", "--quick", "--data mnist"])
    demo.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get(DATA_VARIABLE) or None,
        help=f"folder with MNIST's t10k files (default: ${DATA_VARIABLE}, "
        "else the digits bundled with scikit-learn)",
    )
    demo.add_argument(
        "--seeds",
        type=argument_types.positive,
        metavar="N",
        default=3,
        help="runs (default: 3)",
    )
    demo.add_argument(
        "--epochs",
        type=argument_types.positive,
        metavar="E",
        help="default: 60, on MNIST 10",
    )
    demo.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("fastbutterfly-demo"),
        help="folder for the pictures (default: %(default)s)",
    )
    demo.add_argument(
        "--quick", action="store_true", help="few images and epochs, to try it out"
    )


def _add_train(commands):
    train = _command(
        commands,
        "train",
        "train a network on a table",
        "The network is that of ButterflyClassifier or ButterflyRegressor. Columns are "
        "standardised, which becomes part of the network: it takes numbers as they "
        "are in the table. A share of the rows is held out, to tell how well it does.",
        [
            "flowers.csv --target species -o flowers.npz",
            "houses.csv --target price --drop id --hidden 256,128 -o houses.npz",
            "digits.npz --target y --kind gadget --seed 1 -o model.npz",
        ],
    )
    train.add_argument("data", help=DATA)
    train.add_argument(
        "--target", required=True, metavar="NAME", help="column or array to predict"
    )
    train.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the model"
    )
    train.add_argument(
        "--task",
        choices=("classification", "regression"),
        help="default: classification if the target is text, or at most 20 different "
        "whole numbers",
    )
    train.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="NAME",
        help="column to leave out, may be given several times",
    )
    train.add_argument(
        "--hidden",
        type=argument_types.sizes,
        metavar="N,...",
        default=(256,),
        help="sizes of the hidden layers (default: 256)",
    )
    train.add_argument(
        "--kind",
        choices=("butterfly", "gadget", "dense"),
        default="butterfly",
        help="of the hidden layers (default: %(default)s)",
    )
    train.add_argument(
        "--epochs",
        type=argument_types.positive,
        metavar="E",
        default=200,
        help="at most (default: %(default)s); fewer if the loss no longer falls",
    )
    train.add_argument(
        "--holdout",
        type=argument_types.share,
        metavar="SHARE",
        default=0.2,
        help="share of the rows to score with, 0 for none (default: %(default)s)",
    )
    train.add_argument(
        "--seed", type=argument_types.natural, metavar="N", default=0, help="default: 0"
    )
    train.add_argument("--quiet", action="store_true", help="no progress")


def _add_predict(commands):
    predict = _command(
        commands,
        "predict",
        "predict with a trained network, as CSV",
        "Columns are found by their names if model and data have names, else by their "
        "order.",
        [
            "flowers.npz new.csv",
            "flowers.npz new.csv --probabilities -o found.csv",
            "flowers.npz - < new.csv | head",
        ],
    )
    predict.add_argument("model", type=Path, help="file of train, or of net.save")
    predict.add_argument(
        "data", help=DATA.replace("only other", "only (but the target's)")
    )
    predict.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="default: standard output"
    )
    predict.add_argument(
        "--probabilities", action="store_true", help="of all classes, too"
    )


def _add_export(commands):
    export = _command(
        commands,
        "export",
        "write a trained network as C99 or as ONNX",
        "Integers are calibrated on samples.",
        [
            "flowers.npz -o firmware",
            "flowers.npz -o firmware --dtype int8 --samples flowers.csv --ram 32K",
            "flowers.npz -o service --format onnx --name flowers",
        ],
    )
    export.add_argument("model", type=Path, help="file of train, or of net.save")
    export.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="made if missing",
    )
    export.add_argument(
        "--format", choices=("c", "onnx"), default="c", help="default: c"
    )
    export.add_argument(
        "--dtype",
        choices=("float32", "float64", "int8", "int16"),
        help="default: float32, for ONNX that of the model",
    )
    export.add_argument(
        "--samples", metavar="DATA", help="typical inputs, as for predict"
    )
    export.add_argument(
        "--name", default="model", help="of files and functions (default: model)"
    )
    export.add_argument(
        "--form", choices=("loops", "vector"), help="of C code (default: loops)"
    )
    export.add_argument(
        "--no-floats",
        action="store_true",
        help="integers in and out, too: C code without floating point",
    )
    export.add_argument(
        "--ram",
        type=argument_types.size,
        metavar="SIZE",
        help="scratch there may be, e.g. 32K",
    )


def _add_info(commands):
    info = _command(
        commands,
        "info",
        "show what is in a model and what it needs, or versions and CPU",
        "Without a model: versions, CPU and cache folder.",
        ["", "flowers.npz", "flowers.npz --plot flowers.png"],
    )
    info.add_argument(
        "model", type=Path, nargs="?", help="file of train, or of net.save"
    )
    info.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help="draw the butterflies: .png, .pdf or .svg; with a number if several",
    )


def _add_bench(commands):
    text = "measure butterflies against dense products on this machine"
    bench = _command(commands, "bench", text, examples=["", "--seconds 20"])
    bench.add_argument(
        "--seconds",
        type=argument_types.seconds,
        metavar="N",
        default=100.0,
        help="time to measure (default: %(default)g)",
    )
