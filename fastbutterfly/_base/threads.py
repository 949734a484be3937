"""Workers: parts of a batch on a thread pool."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from .arguments import as_size

MIN_PARALLEL_WORK = 1 << 21  # multiply-adds from which a second thread is faster
PARTS = 16  # most parts of a batch whose sums are added in order

_lock = threading.Lock()
_pool = None  # (process id, size, executor)


def cpu_count():
    """Number of CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def as_workers(workers):
    """None, for all CPUs, or a number of threads."""
    return None if workers is None else as_size("workers", workers)


def is_parallel(work):
    """Whether so many multiply-adds are worth a second thread."""
    return work >= MIN_PARALLEL_WORK


def threads(workers, parallel=True):
    """Number of threads for so many workers; 1 below the parallel threshold."""
    if not parallel:
        return 1
    return cpu_count() if workers is None else workers


def parts(length, unit=1, count=PARTS, least=1):
    """Slices of whole units, at most so many, of at least so many numbers.

    Only the last has a rest, and none is shorter than a unit if another is not.
    """
    step = max(-(-length // count), least)
    step = max(-(-step // unit), 1) * unit
    starts = list(range(0, max(length - unit, 0) + 1, step)) if length else []
    ends = zip(starts, [*starts[1:], length], strict=False)
    return [slice(*pair) for pair in ends]


def run(work, items, workers):
    """Call work(item) for each item, on at most `workers` threads; None: all CPUs."""
    workers = min(threads(workers), len(items))
    if workers <= 1:
        for item in items:
            work(item)
        return

    def share(worker):
        for item in items[worker::workers]:
            work(item)

    futures, left = [], list(range(workers))
    try:
        pool = _executor(workers - 1)
        while len(left) > 1:
            futures.append(pool.submit(share, left[-1]))
            left.pop()
    except RuntimeError:  # the interpreter is shutting down: no new threads
        pass
    for worker in left:
        share(worker)
    for future in futures:
        future.result()


def _executor(size):
    """A pool of at least `size` threads that belongs to this process."""
    global _pool
    with _lock:
        if _pool is None or _pool[0] != os.getpid() or _pool[1] < size:
            _pool = os.getpid(), size, ThreadPoolExecutor(size, "fastbutterfly")
        return _pool[2]


def _forget_pool():
    """A forked child has neither its parent's threads nor a lock it can trust."""
    global _lock, _pool
    _lock, _pool = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
