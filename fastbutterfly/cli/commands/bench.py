"""bench: butterflies against dense products."""

from ...bench import job


def run(options):
    """Measure and print."""
    job.run(seconds=options.seconds)
