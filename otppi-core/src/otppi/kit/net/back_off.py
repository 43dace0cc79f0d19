"""Back-off: how long to wait before the next attempt."""

import random


class Backoff:
    """Growing delays with jitter: `first`, then twice as much each time up to `cap` seconds.

    The jitter is ±20 %, so that many devices that lost the same broker do not come back in step.
    """

    def __init__(self, first: float = 0.25, cap: float = 30.0) -> None:
        self._first = first
        self._cap = cap
        self._next = first

    def delay(self) -> float:
        """Return the seconds to wait now; the next call gives more."""
        base, self._next = self._next, min(self._next * 2, self._cap)
        return base * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """Start again from the first delay (after a success)."""
        self._next = self._first
