"""demo: networks on handwritten digits."""

import os
from pathlib import Path

from .. import argument_types, output_files
from ..help_text import DATA_VARIABLE

SUMMARY = "train networks on handwritten digits, dense layer against butterfly"
EXAMPLES = "", "--quick", "--data mnist"


def add_arguments(parser):
    """Add the arguments of the command."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=os.environ.get(DATA_VARIABLE) or None,
        help=f"folder with MNIST's t10k files (default: ${DATA_VARIABLE}, "
        "else the digits bundled with scikit-learn)",
    )
    parser.add_argument(
        "--seeds",
        type=argument_types.positive,
        metavar="N",
        default=3,
        help="runs (default: 3)",
    )
    parser.add_argument(
        "--epochs",
        type=argument_types.positive,
        metavar="E",
        help="default: 60, on MNIST 10",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("fastbutterfly-demo"),
        help="folder for the pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a quick trial: one run of three epochs on 512 images",
    )


def run(options):
    """Train, compare, draw."""
    from ...demo import main

    output_files.check(options.out, folder=True)
    main.run(
        data=options.data,
        seeds=options.seeds,
        epochs=options.epochs,
        out=options.out,
        quick=options.quick,
    )
