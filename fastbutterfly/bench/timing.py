"""How times are taken: warm-up, calls in turn, best of many."""

from collections.abc import Callable, Hashable, Mapping
from time import perf_counter

TURN = 5  # calls in a row, so that all but the first find their data in the caches
LONG = 0.05  # seconds of a call that is a turn by itself


def best_in_turn(
    calls: Mapping[Hashable, Callable[[], object]],
    seconds: float = 1.0,
    *,
    clock: Callable[[], float] = perf_counter,
) -> dict[Hashable, float]:
    """Shortest time of each call.

    Parameters
    ----------
    calls : mapping of name to callable
        What to time. Each is called once untimed, which compiles and fills the caches.
    seconds : float
        How long to go on after that; every call has at least one turn.
    clock : callable
        Returns the time in seconds.

    Returns
    -------
    dict of name to float
        Seconds, in the order of `calls`.

    Notes
    -----
    The calls take turns, so that noise hits all alike. A turn is five calls, so that
    each finds its own data in the caches; one that takes 0.05 s is enough of a turn.
    """
    for call in calls.values():
        call()
    best = dict.fromkeys(calls, float("inf"))
    stop = clock() + seconds
    while True:
        for name, call in calls.items():
            for _ in range(TURN):
                start = clock()
                call()
                took = clock() - start
                best[name] = min(best[name], took)
                if took >= LONG:
                    break
        if clock() >= stop:
            return best


class Budget:
    """A time to measure, divided among parts.

    Later parts share what a part leaves over, or has taken too much.

    Parameters
    ----------
    seconds : float
        The whole.
    parts : float
        Number of parts; a part may count as several, or as a fraction.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self,
        seconds: float,
        parts: float,
        *,
        clock: Callable[[], float] = perf_counter,
    ):
        self._clock = clock
        self._stop = clock() + seconds
        self._parts = parts

    def take(self, parts: float = 1) -> float:
        """Seconds for the next part, or for several; 0 when the time is over."""
        left = max(self._stop - self._clock(), 0)
        share = min(parts / self._parts, 1) if self._parts > 0 else 1
        self._parts -= parts
        return left * share
