"""demo: networks on handwritten digits."""

from ..demo import job
from . import _files


def run(options):
    """Train, compare, draw."""
    _files.check(options.out, folder=True)
    job.run(
        data=options.data,
        seeds=options.seeds,
        epochs=options.epochs,
        out=options.out,
        quick=options.quick,
    )
