"""Progress of a training run on stderr: a bar, lines, or nothing."""

import sys
from contextlib import contextmanager

from .history import describe


class _Silent:
    def step(self):
        pass

    def epoch(self, history):
        pass


class _Lines:
    def __init__(self, epochs):
        self.epochs = epochs

    def step(self):
        pass

    def epoch(self, history):
        done, last = len(history.epochs), history.epochs[-1]
        line = f"epoch {done}/{self.epochs}: {describe(last)}, {last.seconds:.3g} s\n"
        sys.stderr.write(line)
        sys.stderr.flush()


class _Bar:
    def __init__(self, bar):
        self.bar = bar

    def step(self):
        self.bar.update()

    def epoch(self, history):
        self.bar.set_postfix_str(describe(history.epochs[-1]))


@contextmanager
def reporting(progress, epochs, batches, done):
    """Give an object with `step()` and `epoch(history)`; close it at the end.

    progress: True, False, or None for a terminal only. batches: of an epoch, or None.
    done: epochs of an earlier run that goes on.
    """
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress:
        yield _Silent()
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield _Lines(epochs)
        return
    known = {}
    if batches is not None:
        known = {"total": max(epochs, done) * batches, "initial": done * batches}
    with tqdm(**known, unit="batch", dynamic_ncols=True) as bar:
        yield _Bar(bar)
