"""A wake-up for a thread that waits for a port or a socket: a descriptor that is waited for with it."""

import math
import os
import select
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol


class Wake:
    """Ends another thread's wait, now or the next time. Lives as long as its owner, over many ports or connections."""

    def __init__(self) -> None:
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        """Wake (any thread)."""
        if self.descriptor >= 0:
            os.eventfd_write(self.descriptor, 1)

    def clear(self) -> None:
        """Take note of it (the woken thread)."""
        with suppress(BlockingIOError):
            os.eventfd_read(self.descriptor)

    def wait(self, seconds: float, events: Mapping[int, int] | None = None) -> dict[int, int]:
        """Wait for one of some descriptors, to be woken, or for the time to be over; take note of a wake-up.

        Args:
            seconds: The longest wait; infinity for none, what is not above 0 only looks.
            events: What is waited for (`select.POLLIN`, `select.POLLOUT`), by descriptor.

        Returns:
            The descriptors, of `events`, that are ready, with what they are ready for.
        """
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        for descriptor, wanted in (events or {}).items():
            poll.register(descriptor, wanted)
        # Rounded up: a wait that ends a moment too early would be followed by many that look only.
        ready = dict(poll.poll(None if seconds == math.inf else math.ceil(max(0.0, seconds) * 1000)))
        if ready.pop(self.descriptor, 0):
            self.clear()
        return ready

    def __del__(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        os.close(descriptor)


class Waited(Protocol):
    """A connection, as a wait sees it."""

    def fileno(self) -> int:
        """Return its descriptor."""

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be written."""


class Alarm(Wake):
    """The wake-up of a thread that is told to end within some time. `wait_for` is called by that thread alone."""

    def __init__(self) -> None:
        super().__init__()
        self._ends_at = math.inf

    def stop(self, grace: float = 0.0) -> None:
        """Have the thread end within `grace` seconds (any thread); an earlier end stays."""
        self._ends_at = min(self._ends_at, time.monotonic() + grace)
        self.set()

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

    @property
    def ends_at(self) -> float:
        """When the thread has to have ended, by time.monotonic(); infinity where nobody has told it to."""
        return self._ends_at

    def wait_for(self, connections: Iterable[Waited], deadline: float) -> None:
        """Wait until a connection can be read, or written where it wants that; at most to `deadline`, or the end.

        Args:
            connections: Those that matter.
            deadline: By time.monotonic(); infinity for none.
        """
        events = {one.fileno(): select.POLLIN | (select.POLLOUT if one.wants_write else 0) for one in connections}
        self.wait(min(deadline, self._ends_at) - time.monotonic(), events)
