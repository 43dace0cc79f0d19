"""Server-sent events (WHATWG HTML 9.2) of the monitor, each with an id, and those that went out last."""

import json
import secrets
from collections import deque
from typing import Any

RETRY = 3_000
"""Milliseconds after which a browser connects again."""
_KEPT = 64_000
"""Octets of events that are kept for whoever comes back; below what a stream takes at once."""
_LONGEST_ID = 32


def frame(event: str, data: Any, event_id: str = "", *, retry: int = 0) -> bytes:
    """Write one event; JSON has no line ends, so its data are one line."""
    lines = [f"retry: {retry}"] if retry else []
    lines += [f"id: {event_id}"] if event_id else []
    lines += [f"event: {event}", f"data: {json.dumps(data, separators=(',', ':'))}"]
    return ("\n".join(lines) + "\n\n").encode("ascii")


class SentChanges:
    """Numbers the changes, and keeps the last ones. One thread.

    Ids hold for one time that somebody watched: in between changes are not seen, so who comes back later with an id of
    then has missed more than anybody knows.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._run = secrets.token_hex(4)
        self._number = 0
        self._kept = kept
        self._size = 0
        self._frames: deque[tuple[int, bytes]] = deque()

    @property
    def last_id(self) -> str:
        """The id of how things stand after the last change."""
        return f"{self._run}-{self._number}"

    def add(self, change: Any) -> bytes:
        """Write a change as the next event."""
        self._number += 1
        written = frame("change", change, self.last_id)
        self._frames.append((self._number, written))
        self._size += len(written)
        while self._size > self._kept:
            self._size -= len(self._frames.popleft()[1])
        return written

    def since(self, event_id: str) -> bytes | None:
        """Return what was sent after an event, as a browser names it (`Last-Event-ID`); None where that is not known.

        What is not like an id of ours is nobody's, whatever it says: it came with a request.
        """
        run, _, number = event_id[:_LONGEST_ID].partition("-")
        if run != self._run or not (number.isascii() and number.isdecimal()):
            return None
        last = int(number)
        first = self._frames[0][0] if self._frames else self._number + 1
        if not first - 1 <= last <= self._number:
            return None
        return b"".join(written for count, written in self._frames if count > last)
