"""Things that wait for their time, on one heap."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Schedule(Generic[T]):
    """Things by the time when they are due; in the order in which they came where that is the same. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, int, T]] = []
        self._number = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, thing: T, delay: float = 0.0, *, now: float | None = None) -> None:
        """Add a thing that is due in `delay` seconds, counted from `now` (monotonic) where the caller has looked."""
        # All that have no delay are due at time 0, so that their numbers order them.
        due = (time.monotonic() if now is None else now) + delay if delay > 0 else 0.0
        with self._lock:
            heapq.heappush(self._waiting, (due, next(self._number), thing))

    def due(self, *, all_of_them: bool = False, now: float | None = None) -> list[T]:
        """Take out what is due now (monotonic), in order; with `all_of_them` also what is due later."""
        now, taken = time.monotonic() if now is None else now, []
        with self._lock:
            while self._waiting and (all_of_them or self._waiting[0][0] <= now):
                taken.append(heapq.heappop(self._waiting)[2])
        return taken

    def pause(self) -> float | None:
        """Return the seconds until something is due; None where nothing waits."""
        with self._lock:
            return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None

    def drop(self, unwanted: Callable[[T], bool]) -> None:
        """Take out what is wanted no more."""
        with self._lock:
            self._waiting = [entry for entry in self._waiting if not unwanted(entry[2])]
            heapq.heapify(self._waiting)
