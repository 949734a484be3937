"""bench: butterflies against dense products."""

from .. import argument_types

SUMMARY = "measure butterflies against dense products on this machine"
EXAMPLES = "", "--seconds 20"


def add_arguments(parser):
    """Add the arguments of the command."""
    parser.add_argument(
        "--seconds",
        type=argument_types.seconds,
        metavar="N",
        default=100.0,
        help="time to measure (default: %(default)g)",
    )


def run(options):
    """Measure and print."""
    from ...bench import main

    main.run(seconds=options.seconds)
