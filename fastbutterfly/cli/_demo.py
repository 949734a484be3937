"""demo: networks on handwritten digits."""

from ..demo import job


def run(options):
    """Train, compare, draw."""
    job.run(
        data=options.data,
        seeds=options.seeds,
        epochs=options.epochs,
        out=options.out,
        quick=options.quick,
    )
