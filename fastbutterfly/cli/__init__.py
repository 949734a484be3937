"""The command line: `fastbutterfly demo | train | predict | export | info | bench`."""

import os
import sys
from collections.abc import Sequence

from .help_text import DATA_VARIABLE
from .parser import parser

__all__ = ["DATA_VARIABLE", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; None: those of the process.

    Returns
    -------
    int
        0 if all went well, 1 after an error, 130 after Ctrl-C. Wrong arguments exit
        with 2, as argparse does.
    """
    options = parser().parse_args(arguments)
    try:
        options.run(options)
        print(end="", flush=True)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, e.g. `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ArithmeticError, ImportError, MemoryError, OSError, ValueError) as error:
        text = str(error) or type(error).__name__
        print(f"fastbutterfly: error: {text}", file=sys.stderr)
        return 1
    return 0
