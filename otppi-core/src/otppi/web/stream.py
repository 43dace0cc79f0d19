"""A response that goes on: what is sent to one client bit by bit, by any thread, such as events (SSE)."""

import threading
from collections.abc import Callable

BEHIND = 65_536
"""Octets that a client may be behind."""


class Stream:
    """The body of a response that has no end yet. Any thread; no thread waits for the client.

    Args:
        limit: How many octets may wait for the client; one that is further behind is let go.
        on_end: Called once when it has ended, by whom ever; quick, and on any thread.
    """

    def __init__(self, limit: int = BEHIND, on_end: Callable[[], None] | None = None) -> None:
        self._limit = limit
        self._on_end = on_end
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._closed = False
        self._gone = False
        self._notify: Callable[[], None] | None = None
        self._told = False

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed

    def send(self, data: bytes) -> bool:
        """Send octets; False where the client has gone, or was so far behind that it is let go now."""
        with self._lock:
            if self._closed:
                return False
            if len(self._waiting) + len(data) > self._limit:
                self._closed = self._gone = True
                self._waiting.clear()
                self._told = False  # this is news also where the server has not taken what it was told of
            else:
                self._waiting += data
            notify, taken = self._news(), not self._gone
        if notify is not None:
            notify()
        return taken

    def close(self) -> None:
        """End it, after what was sent before."""
        with self._lock:
            self._closed = True
            notify = self._news()
        if notify is not None:
            notify()

    # The server's side

    @property
    def too_far_behind(self) -> bool:
        """Whether the client is let go."""
        return self._gone

    def attach(self, notify: Callable[[], None]) -> None:
        """Have `notify` called when there is something to take (any thread; once, until it is taken)."""
        with self._lock:
            self._notify = notify
            news = self._news() if self._waiting or self._closed else None
        if news is not None:
            news()

    def pop(self) -> tuple[bytes, bool]:
        """Take what waits, and say whether that is the end."""
        with self._lock:
            data = bytes(self._waiting)
            self._waiting.clear()
            self._told = False
            return data, self._closed

    def end(self) -> None:
        """Note that the connection is closed."""
        with self._lock:
            self._closed = True
            self._notify = None
            on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()

    def _news(self) -> Callable[[], None] | None:
        """Return whom to notify, where it is not told yet. Needs the lock."""
        if self._notify is None or self._told:
            return None
        self._told = True
        return self._notify
