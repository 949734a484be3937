"""The command line: `fastbutterfly demo`, `bench`, `info`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, _machine

DATA_VARIABLE = "FASTBUTTERFLY_DATA"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; None: those of the process.

    Returns
    -------
    int
        0 if all went well, 1 after an error, 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ImportError, OSError, ValueError) as error:
        print(f"fastbutterfly: error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="fastbutterfly", description="Butterfly networks for NumPy."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_demo(commands)
    _add_bench(commands)
    info = commands.add_parser("info", help="show versions, CPU and cache folder")
    info.set_defaults(run=_info)
    return parser


def _add_demo(commands):
    text = "train networks on handwritten digits, dense layer against butterfly"
    demo = commands.add_parser("demo", help=text, description=text.capitalize() + ".")
    demo.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get(DATA_VARIABLE) or None,
        help=f"folder with MNIST's t10k files (default: ${DATA_VARIABLE}, "
        "else the digits bundled with scikit-learn)",
    )
    demo.add_argument(
        "--seeds", type=_positive, metavar="N", default=3, help="runs (default: 3)"
    )
    demo.add_argument(
        "--epochs", type=_positive, metavar="E", help="default: 60, on MNIST 10"
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
    demo.set_defaults(run=_demo)


def _add_bench(commands):
    text = "measure butterflies against dense products on this machine"
    bench = commands.add_parser("bench", help=text, description=text.capitalize() + ".")
    bench.add_argument(
        "--seconds",
        type=_seconds,
        metavar="N",
        default=100.0,
        help="time to measure (default: %(default)g)",
    )
    bench.set_defaults(run=_bench)


def _positive(text):
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return value


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return value


def _demo(options):
    from .demo import job  # only this command needs the optional packages

    job.run(
        data=options.data,
        seeds=options.seeds,
        epochs=options.epochs,
        out=options.out,
        quick=options.quick,
    )


def _bench(options):
    from .bench import job  # slow to import

    job.run(seconds=options.seconds)


def _info(options):
    print(f"fastbutterfly  {__version__}")
    for name, version in _machine.versions("numpy", "numba", "scipy").items():
        print(f"{name:<13}  {version}")
    print(f"CPU            {_machine.cpu_name()}")
    print(f"registers      {_machine.register_bits()} bits")
    print(f"cache          {_machine.cache_folder()}")
