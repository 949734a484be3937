"""The parser of the command line: one subparser for each command."""

import argparse

from .. import __version__
from .commands import bench, demo, export, info, predict, train
from .help_text import Formatter, examples

# Each has SUMMARY, EXAMPLES and maybe DETAILS as help, `add_arguments` and `run`. What
# compiles kernels or is optional they import when they run, to keep --help fast.
COMMANDS = demo, train, predict, export, info, bench


def parser() -> argparse.ArgumentParser:
    """Return the parser; parsed options have `run`, and `fail` for wrong arguments."""
    top = argparse.ArgumentParser(
        prog="fastbutterfly",
        description="Butterfly networks for NumPy.",
        epilog="fastbutterfly COMMAND --help tells more, with examples.",
    )
    top.add_argument("--version", action="version", version=__version__)
    subparsers = top.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        name = command.__name__.rpartition(".")[2]
        summary, details = command.SUMMARY, getattr(command, "DETAILS", "")
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}. {details}",
            epilog=examples(name, command.EXAMPLES),
            formatter_class=Formatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run, fail=subparser.error)
    return top
