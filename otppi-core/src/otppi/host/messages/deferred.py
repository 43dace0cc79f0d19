"""Messages whose receiver could not have them: they wait apart, so that all others of their egress go on."""

import heapq
import time
from collections.abc import Callable
from itertools import count

from otppi.host.records.record import Record

_PAUSES = (30.0, 60.0, 120.0, 300.0)
"""Seconds until the next try, where the other side names none. A server that keeps a receiver waiting on purpose
(greylisting, RFC 6647) mostly does so for one to five minutes."""
_LAST_TRY = 5.0
"""Seconds before its end a message gets a last try, if the pause is longer than what is left of its life."""


class DeferredMessages:
    """A heap by the time at which each is due. The dispatcher's lock guards every call but `in`, which any may ask.

    Args:
        clock: The monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Record]] = []
        self._waiting: dict[str, Record] = {}
        self._order = count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, record: Record) -> bool:
        return record.message_id in self._waiting

    def add(self, record: Record, retry_after: float) -> None:
        """Let a message wait for `retry_after` seconds, or, where that is 0, longer each time."""
        pause = retry_after or _PAUSES[min(record.deferrals, len(_PAUSES) - 1)]
        record.deferrals += 1
        left = record.remaining()
        if pause > left - _LAST_TRY:
            last = left - _LAST_TRY
            pause = last if last >= _LAST_TRY else left  # too late for one more: it expires while it waits
        self._waiting[record.message_id] = record
        heapq.heappush(self._heap, (self._clock() + pause, next(self._order), record))

    def remove(self, record: Record) -> bool:
        """Take a message out; False where it does not wait here."""
        return self._waiting.pop(record.message_id, None) is not None

    def due(self) -> list[Record]:
        """Take out what is to be tried again, or has expired, the longest due first."""
        now, due = self._clock(), []
        while self._heap and (self._heap[0][0] <= now or self._heap[0][2].message_id not in self._waiting):
            _, _, record = heapq.heappop(self._heap)
            if self._waiting.pop(record.message_id, None) is not None:
                due.append(record)
        return due

    def expired(self) -> list[Record]:
        """Take out what has expired; its clock may have been put forward."""
        expired = [record for record in self._waiting.values() if record.remaining() <= 0]
        for record in expired:
            del self._waiting[record.message_id]
        return expired
