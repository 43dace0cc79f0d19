"""What ends the waits of one thread: a wake-up, and the time when it has to end."""

import math
import select
import time
from collections.abc import Iterable
from typing import Protocol

from otppi.kit.net.wake import Wake


class Waited(Protocol):
    """A connection, as a wait sees it."""

    def fileno(self) -> int:
        """Give its descriptor."""

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be written."""


class Alarm:
    """Belongs to one thread, which alone calls `wait`; any thread calls `ring` and `stop`."""

    def __init__(self) -> None:
        self._wake = Wake()
        self._ends_at = math.inf

    def ring(self) -> None:
        """End the wait, or the next one."""
        self._wake.set()

    def stop(self, grace: float = 0.0) -> None:
        """Have the thread end within `grace` seconds."""
        self._ends_at = min(self._ends_at, time.monotonic() + grace)
        self._wake.set()

    def rearm(self) -> None:
        """Let the thread that is started next go on without an end; the last one has ended."""
        self._ends_at = math.inf

    @property
    def stopping(self) -> bool:
        """Whether the thread is to end."""
        return self._ends_at < math.inf

    @property
    def over(self) -> bool:
        """Whether the time to end has come."""
        return time.monotonic() >= self._ends_at

    def wait(self, connections: Iterable[Waited], deadline: float) -> None:
        """Wait until a connection can be read, or written where it wants that, the alarm rings, or the deadline.

        Args:
            connections: Those that matter.
            deadline: By time.monotonic(); infinity for none.
        """
        poll = select.poll()
        poll.register(self._wake.descriptor, select.POLLIN)
        for one in connections:
            poll.register(one.fileno(), select.POLLIN | (select.POLLOUT if one.wants_write else 0))
        deadline = min(deadline, self._ends_at)
        pause = None if deadline == math.inf else max(0.0, deadline - time.monotonic()) * 1000 + 1
        if any(descriptor == self._wake.descriptor for descriptor, _ in poll.poll(pause)):
            self._wake.clear()
