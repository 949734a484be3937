"""`fastbutterfly bench`: a selection on this machine, in two minutes at most."""

import sys
from time import perf_counter

from .._base.machine import one_blas_thread
from . import crossover, peers, report, rows, vector
from .timing import Budget

DTYPE = "float32"
SIZES = 64, 256, 1024, 4096
PEERS_AT = 1024
# Shares of the time, in units of the share of one size of the rows.
VECTOR, PEERS, CROSSOVER = 0.5, 4, 0.2


def run(*, seconds: float = 100.0) -> dict[str, list[dict]]:
    """Measure and print ratios, shares of the limit, peers and the crossover.

    Parameters
    ----------
    seconds : float
        Time to measure. However short, each call is timed at least once.

    Returns
    -------
    dict of str to list of dict
        What was measured: ``rows``, ``vectors``, ``peers``, ``crossovers``.
    """
    start = perf_counter()
    pairs = [(n, batch) for batch in crossover.BATCHES for n in crossover.SIZES]
    parts = len(SIZES) * (1 + VECTOR) + PEERS + len(pairs) * CROSSOVER
    budget = Budget(seconds, parts)
    _progress("looking for other libraries")
    available, missing = peers.installed()
    with one_blas_thread() as pinned:
        print(report.title(DTYPE, pinned=pinned), end="\n\n", flush=True)
        measured = []
        for n in SIZES:
            _progress(f"measuring rows, n = {n}")
            measured.append(rows.measure(n, DTYPE, budget.take()))
        results = {"rows": rows.compared(measured)}
        _show(report.rows(results["rows"]))

        results["vectors"] = []
        for n in SIZES:
            _progress(f"measuring a vector, n = {n}")
            results["vectors"].append(vector.measure(n, DTYPE, budget.take(VECTOR)))
        _show(report.vectors(results["vectors"]))

        _progress("measuring other libraries")
        results["peers"] = peers.measure(PEERS_AT, DTYPE, budget.take(PEERS), available)
        versions = peers.versions(available)
        _show(report.peers(results["peers"], missing, versions))

        measured = []
        for n, batch in pairs:
            _progress(f"measuring the crossover, batch {batch}, n = {n}")
            share = budget.take(CROSSOVER)
            measured.append(crossover.measure(n, batch, DTYPE, share))
        results["crossovers"] = crossover.crossovers(measured)
        _show(report.crossovers(results["crossovers"]))
    print(f"Done in {perf_counter() - start:.0f} s.")
    return results


def _progress(text):
    """Tell on stderr what is measured: in place on a terminal, else a line each."""
    if sys.stderr is None:
        return
    terminal = sys.stderr.isatty()
    sys.stderr.write(f"\r\033[K{text} ..." if terminal else f"{text} ...\n")
    sys.stderr.flush()


def _show(text):
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
        sys.stderr.flush()
    print(text, end="\n\n", flush=True)
