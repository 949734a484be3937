"""Other libraries on the same work, each checked before it is timed."""

import importlib
import importlib.metadata
import sys
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from ..operators.butterfly import Butterfly
from . import roofline
from .competitors import FORWARD, OURS, PEERS, Competitor
from .rows import BATCH, samples
from .timing import best_in_turn

# lazylinop does not declare all that its butterflies need.
INSTALL = {"lazylinop": "lazylinop psutil pandas"}


@dataclass(frozen=True)
class Missing:
    """A package that is not installed or cannot be imported, and why."""

    package: str
    reason: str

    def __str__(self) -> str:
        """One line, with what to do."""
        install = INSTALL.get(self.package, self.package)
        return f"{self.package}: {self.reason} (pip install {install})"


def installed(
    competitors: Sequence[Competitor] = PEERS,
) -> tuple[list[Competitor], list[Missing]]:
    """Import the peers' libraries.

    Parameters
    ----------
    competitors : sequence of Competitor
        Those to try.

    Returns
    -------
    available : list of Competitor
        Those whose library can be imported.
    missing : list of Missing
        The packages of the others, each once.
    """
    failed = {}
    for library in dict.fromkeys(c.library for c in competitors):
        try:
            with _unchanged():
                importlib.import_module(library)
        except Exception as error:  # whatever a foreign library raises
            failed[library] = Missing(_package(library), _reason(library, error))
    available = [c for c in competitors if c.library not in failed]
    return available, list(failed.values())


def versions(competitors: Sequence[Competitor]) -> dict[str, str]:
    """Return the versions of the competitors' packages."""
    packages = dict.fromkeys(_package(c.library) for c in competitors)
    return {package: importlib.metadata.version(package) for package in packages}


def measure(
    n: int,
    dtype: DTypeLike,
    seconds: float,
    competitors: Sequence[Competitor],
    *,
    batch: int = BATCH,
) -> list[dict]:
    """Time the butterfly and its peers in one run.

    Parameters
    ----------
    n, batch : int
        Size and number of samples.
    dtype : dtype
        Of weights and samples.
    seconds : float
        For all calls together.
    competitors : sequence of Competitor
        From `installed`.

    Returns
    -------
    list of dict
        ``name``, ``task``, ``what`` (it computes), ``us`` in microseconds, ``ratio`` to
        the butterfly's time for the task, ``limit_us``, the time that the multiply-add
        limit allows a butterfly for it; or ``skipped``, why there is no time. The
        butterfly comes first.
    """
    B = Butterfly.random(n, dtype=dtype, rng=0)
    x, g = samples(n, batch, dtype)
    expected = {"y": B.apply(x), "gx": B.vjp(x, g)[0], "gw": g.T @ x.conj()}
    rows, calls = [], {"limit": roofline.call(dtype)}
    for competitor in (*OURS, *competitors):
        row = {
            "n": n,
            "batch": batch,
            "dtype": np.dtype(dtype).name,
            "name": competitor.name,
            "task": competitor.task,
            "what": competitor.what,
        }
        try:
            with _silence():
                call = competitor.prepare(B, x, g)
                call.run()
                problem = mistake(call.results(), expected)
        except Exception as error:  # whatever a foreign library raises
            problem = f"{type(error).__name__}: {error}".partition("\n")[0]
        if problem:
            row["skipped"] = problem
        else:
            calls[competitor.name, competitor.task] = call.run
        rows.append(row)
    with _silence():
        best = best_in_turn(calls, seconds)
    return _compared(rows, best, B.n_weights * batch)


def mistake(results: dict, expected: dict) -> str | None:
    """Say how results differ from those expected.

    Parameters
    ----------
    results, expected : dict of str to array
        By name; what is not in `results` is not compared.

    Returns
    -------
    str or None
        None: they agree.
    """
    for name, got in results.items():
        want = expected[name]
        if got.shape != want.shape:
            return f"{name} must have shape {want.shape}, got {got.shape}"
        if got.dtype != want.dtype:
            return f"{name} must have dtype {want.dtype}, got {got.dtype}"
        tolerance = 1e3 * np.finfo(want.dtype).eps
        difference = np.linalg.norm(got - want) / np.linalg.norm(want)
        if not difference <= tolerance:
            return f"{name} differs from the butterfly's by {difference:.1e} in norm"
    return None


def _compared(rows, best, work):
    ours = {c.task: best[c.name, c.task] for c in OURS}
    rate = roofline.rate(best["limit"])
    for row in rows:
        seconds = best.get((row["name"], row["task"]))
        if seconds is not None:
            passes = 1 if row["task"] == FORWARD else roofline.GRADIENTS
            row["us"] = 1e6 * seconds
            row["ratio"] = seconds / ours[row["task"]]
            row["limit_us"] = 1e6 * passes * work / rate
    return rows


@contextmanager
def _unchanged():
    """Keep the process's settings: importing lazylinop raises the recursion limit."""
    limit_before = sys.getrecursionlimit()
    try:
        with _silence():
            yield
    finally:
        sys.setrecursionlimit(limit_before)


def _silence():
    """Record warnings instead of showing them: some libraries set their own filter."""
    return warnings.catch_warnings(record=True)


def _package(library):
    return library.partition(".")[0]


def _reason(library, error):
    if not isinstance(error, ModuleNotFoundError):
        return f"cannot be imported, {type(error).__name__}: {error}"
    if error.name is None or _package(error.name) == _package(library):
        return "not installed"
    return f"needs {error.name}"
