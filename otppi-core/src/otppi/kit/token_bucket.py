"""How often something may be done: many times at once, and then at an even pace (a token bucket)."""

import time
from collections.abc import Callable
from threading import Lock


class TokenBucket:
    """Any thread.

    Args:
        free: How often it may be done at once.
        per_second: How often afterwards.
        clock: Counts seconds, monotonically.
    """

    def __init__(self, free: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._free = free
        self._per_second = per_second
        self._clock = clock
        self._left = free
        self._counted = clock()
        self._lock = Lock()

    def delay(self) -> float:
        """Do it once more, after so many seconds."""
        with self._lock:
            self._refill()
            self._left -= 1
            return max(0.0, -self._left / self._per_second)

    def allows(self) -> bool:
        """Do it now, or not at all."""
        with self._lock:
            self._refill()
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def _refill(self) -> None:
        now = self._clock()
        self._left = min(self._free, self._left + (now - self._counted) * self._per_second)
        self._counted = now
