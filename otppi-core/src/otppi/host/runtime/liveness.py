"""Whether the gateway still lives, for a watchdog outside of its process: what nobody inside can mend any more."""

import time
from collections.abc import Callable
from typing import Final

from otppi.host.runtime.services import Services

WATCHED_WITHIN: Final = 120.0
"""Seconds in which somebody looks after the threads, however slow: ingresses that do not end take 10 s each."""
REVIVED_WITHIN: Final = 60.0
"""Seconds in which a thread that died is started again: the watch tries every five."""


class Liveness:
    """Called by one thread; nothing of it is on the way of a message.

    A modem or a broker that is away is no matter here: the thread that waits for it lives.

    Args:
        services: Whose threads they are.
        takes: Whether a message could be taken in within so many seconds.
        watched_within, revived_within: Seconds; see the constants.
    """

    def __init__(
        self,
        services: Services,
        takes: Callable[[float], bool],
        watched_within: float = WATCHED_WITHIN,
        revived_within: float = REVIVED_WITHIN,
    ) -> None:
        self._services = services
        self._takes = takes
        self._watched_within = watched_within
        self._revived_within = revived_within
        self._dead_since: dict[str, float] = {}

    def failing(self, patience: float) -> str:
        """Return what has stopped, in a clause for the log; empty where the gateway lives.

        Args:
            patience: Seconds in which a message can be taken in; it takes no longer to ask.
        """
        if (unwatched := self._services.unwatched()) > self._watched_within:
            return f"nobody has looked after the threads for {unwatched:.0f} s"
        if dead := self._dead_for_long():
            return f"{', '.join(dead)} died, and cannot be started again"
        if not self._takes(patience):
            return f"no message could be taken in for {patience:g} s"
        return ""

    def _dead_for_long(self) -> list[str]:
        now, dead = time.monotonic(), self._services.dead()
        self._dead_since = {name: self._dead_since.get(name, now) for name in dead}
        return [name for name, since in self._dead_since.items() if now - since > self._revived_within]
