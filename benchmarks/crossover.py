"""From which n does a butterfly beat the dense product, by batch and dtype?"""

import script

from fastbutterfly.bench import crossover

SIZES = {True: (16, 64, 256, 1024), False: crossover.SIZES}


def finish(rows):
    """The crossovers, and the times that they follow from."""
    return crossover.crossovers(rows) + rows


if __name__ == "__main__":
    script.run(
        "crossover",
        __doc__,
        cases=lambda quick: (
            {"n": n, "batch": batch, "dtype": dtype}
            for dtype in script.DTYPES
            for batch in crossover.BATCHES
            for n in SIZES[quick]
        ),
        measure=crossover.measure,
        finish=finish,
        seconds=0.5,
    )
