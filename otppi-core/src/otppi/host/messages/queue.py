"""One egress' bounded queue: two lanes, OTPs before bulk."""

from collections import deque
from threading import Lock

from otppi.host.records.record import Record

_OTPS_IN_A_ROW = 20
"""So many OTPs go before a waiting bulk message has its turn, so that the bulk lane never starves."""


class EgressQueue:
    """Messages that wait for one egress, first in, first out in each lane. Any thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = Lock()
        self._otp: deque[Record] = deque()
        self._bulk: deque[Record] = deque()
        self._in_a_row = 0

    def __len__(self) -> int:
        return len(self._otp) + len(self._bulk)

    def ahead_of(self, bulk: bool) -> int:
        """Count the messages that would go before a new one."""
        return len(self) if bulk else len(self._otp)

    def full(self, *, bulk: bool) -> bool:
        """Whether a lane has no room."""
        return len(self._bulk if bulk else self._otp) >= self.size

    def put(self, record: Record) -> None:
        """Append to the record's lane, full or not: who takes new messages in asks `full` before."""
        with self._lock:
            (self._bulk if record.content.bulk else self._otp).append(record)

    def put_back(self, record: Record) -> None:
        """Put a record that was taken in front of its lane again, full or not."""
        with self._lock:
            (self._bulk if record.bulk else self._otp).appendleft(record)

    def pop(self, *, bulk: bool = True) -> Record | None:
        """Take the next message, or None; without `bulk` only an OTP."""
        with self._lock:
            if self._otp and (not self._bulk or not bulk or self._in_a_row < _OTPS_IN_A_ROW):
                self._in_a_row = self._in_a_row + 1 if self._bulk else 0
                return self._otp.popleft()
            self._in_a_row = 0
            return self._bulk.popleft() if self._bulk and bulk else None

    def peek(self) -> Record | None:
        """Look at the message that is probably taken next."""
        with self._lock:
            lane = self._otp or self._bulk
            return lane[0] if lane else None

    def remove(self, record: Record) -> bool:
        """Take one record out of the middle; False where it is not there (any more)."""
        lane = self._bulk if record.bulk else self._otp
        with self._lock:
            try:
                lane.remove(record)
            except ValueError:
                return False
            return True

    def waiting(self) -> list[Record]:
        """List what waits, in the order in which each lane will be sent."""
        with self._lock:
            return [*self._otp, *self._bulk]
