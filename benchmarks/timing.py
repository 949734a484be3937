"""How the benchmarks measure: on one BLAS thread, everything in turn, best of many."""

import json
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def best_in_turn(calls, seconds=1.0):
    """Shortest time of each call, in seconds.

    They take turns, so that noise hits all, and a turn is five calls, so that each
    finds its own data in the caches.
    """
    for call in calls.values():
        call()
    best = dict.fromkeys(calls, float("inf"))
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        for name, call in calls.items():
            for _ in range(5):
                start = time.perf_counter()
                call()
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def write(name, machine, rows):
    """Write a result with the machine it comes from."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    print(f"written to {path}")
