"""Log lines that may come in floods: the first few of a kind as they are, then how many there were."""

import logging
import threading
import time
from dataclasses import dataclass


@dataclass(slots=True)
class _Kind:
    level: int
    since: float
    count: int = 0


class Bursts:
    """Keeps floods out of a log. Any thread.

    Args:
        logger: Where the lines go.
        name: Whose lines they are; the sums begin with it.
        most: How many lines of a kind are logged in a period as they are.
        period: In seconds.
    """

    def __init__(self, logger: logging.Logger, name: str, *, most: int = 20, period: float = 10.0) -> None:
        self._logger = logger
        self._name = name
        self._most = most
        self._period = period
        self._lock = threading.Lock()
        self._kinds: dict[str, _Kind] = {}

    def log(self, level: int, kind: str, message: str, *arguments: object) -> None:
        """Log a line, or count it. `kind` says in the plural what such lines tell; the code knows only a few."""
        self.flush()
        with self._lock:
            state = self._kinds.setdefault(kind, _Kind(level, time.monotonic()))
            state.count += 1
            if state.count > self._most:
                return
        self._logger.log(level, message, *arguments)

    def flush(self) -> None:
        """Log how many lines were left out in periods that are over."""
        now = time.monotonic()
        with self._lock:
            over = {kind: state for kind, state in self._kinds.items() if now - state.since >= self._period}
            for kind in over:
                del self._kinds[kind]
        for kind, state in over.items():
            if state.count > self._most:
                left_out, seconds = state.count - self._most, now - state.since
                self._logger.log(state.level, "%s: %d more %s in %.0f s", self._name, left_out, kind, seconds)

    def pause(self) -> float | None:
        """Return the seconds until `flush` has something to say; None where nothing was left out."""
        with self._lock:
            ends = [state.since for state in self._kinds.values() if state.count > self._most]
        return max(0.0, min(ends) + self._period - time.monotonic()) if ends else None
