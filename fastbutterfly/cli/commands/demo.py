"""demo: networks on handwritten digits."""

from ...demo import main
from .. import output_files


def run(options):
    """Train, compare, draw."""
    output_files.check(options.out, folder=True)
    main.run(
        data=options.data,
        seeds=options.seeds,
        epochs=options.epochs,
        out=options.out,
        quick=options.quick,
    )
