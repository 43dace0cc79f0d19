"""From one connection to the next, so that nothing is lost in between and nothing is taken twice."""

import hashlib
import math
import time
from collections import Counter
from collections.abc import Callable

from otppi.kit.net.link import LinkLost
from otppi.kit.net.wake import Alarm
from otppi_ingress_wsmessagebroker.connection import Connection, Server

SILENCE = 1.0
"""A server that does not answer pings has let us in when it has not hung up for so many seconds."""
_OVERLAP = 0.5
_PARTING = 2.0
_REMEMBERED = 5.0
_MOST_HELD = 1_000
_MOST_HELD_BYTES = 4 << 20


class Seen:
    """What came by the old connection, and so comes by the new one as well; each message once.

    A server may write to its clients at different speeds, so a pong does not show what is still to come: messages are
    remembered for a short time after the change, however long that took, and until all that has arrived is read.
    """

    def __init__(self) -> None:
        self._digests = Counter[bytes]()
        self._until = math.inf

    def add(self, message: bytes | None) -> None:
        """Note one."""
        self._digests[_digest(message)] += 1

    def changed(self) -> None:
        """Remember them for a short time from now on: no more are added."""
        self._until = time.monotonic() + _REMEMBERED

    def all_read(self) -> None:
        """Forget them where their time is over; nothing that has arrived is still to be read."""
        if self._digests and time.monotonic() >= self._until:
            self._digests.clear()

    def __contains__(self, message: bytes | None) -> bool:
        """Whether this is one of them, which it is as often as it came."""
        if not self._digests:
            return False
        digest = _digest(message)
        found = self._digests[digest] > 0
        self._digests[digest] -= found
        return found


class Change:
    """From one connection to the next. While both are open, each message comes by both, and is taken once, in order.

    What the old one brings is taken, and what the new one brings is held until the old one has brought all.

    Args:
        server: How it is reached.
        alarm: Of the thread.
        take: Gets each message.
        before: What came by the connection before the old one.
        old: The connection that is left.
        new: The one that is opened.

    Attributes:
        seen: What came by the old one meanwhile.
    """

    def __init__(
        self,
        server: Server,
        alarm: Alarm,
        take: Callable[[bytes | None], None],
        before: Seen,
        old: Connection,
        new: Connection,
    ) -> None:
        self._pings = bool(server.ping_interval)
        self._alarm = alarm
        self._take = take
        self._before = before
        self._old: Connection | None = old
        self._new = new
        self.seen = Seen()
        self._held: list[bytes | None] = []
        self._held_bytes = 0

    def prove(self) -> None:
        """Wait until the new one is let in.

        Raises:
            LinkLost: It is not.
        """
        ping = self._new.ping() if self._pings else math.inf
        self._new.flush()
        silent_until = math.inf if self._pings else time.monotonic() + SILENCE
        while not self._alarm.over:
            came = self._read()
            if self._new.answered >= ping or time.monotonic() >= silent_until:
                return
            if self._is_full():
                return  # it is let in, and more is not held
            if not came:
                self._wait(min(self._new.check(), silent_until))

    def leave(self) -> None:
        """Take leave of the old one, when it has brought what the new one may have been too late for.

        Raises:
            LinkLost: The new one is lost.
        """
        try:
            self._until(time.monotonic() + _OVERLAP)
            self._end_old()
            self._until(time.monotonic() + _PARTING)
        finally:
            self.release()

    def release(self) -> None:
        """Take what the new one has brought and the old one has not."""
        held, self._held, self._held_bytes = self._held, [], 0
        for message in held:
            if message not in self.seen:
                self._take_once(message)
        self.seen.changed()

    @property
    def old_is_lost(self) -> bool:
        """Whether there is no going back."""
        return self._old is None

    def _end_old(self) -> None:
        if self._old is not None:
            try:
                self._old.end()
            except LinkLost:  # it has ended already
                self._old = None

    def _until(self, deadline: float) -> None:
        """Take what comes while the old one is there."""
        while not self._alarm.over:
            came = self._read()
            if self._old is None or time.monotonic() >= deadline:
                return
            if not came:
                self._wait(deadline)

    def _is_full(self) -> bool:
        return len(self._held) >= _MOST_HELD or self._held_bytes >= _MOST_HELD_BYTES

    def _read(self) -> int:
        """Take what the old one has brought, and hold what the new one has; return how many messages that were.

        A frame that is none may have come besides: whoever waits next looks first whether it has what it waits for.
        """
        came = self._from_old()
        if not self._is_full():
            messages = self._new.receive()
            self._held += messages
            self._held_bytes += sum(len(message or b"") for message in messages)
            came += len(messages)
        return came

    def _wait(self, deadline: float) -> None:
        waited = [] if self._old is None else [self._old]
        if not self._is_full():
            waited.append(self._new)
        self._alarm.wait_for(waited, deadline)

    def _from_old(self) -> int:
        if self._old is None:
            return 0
        try:
            messages = self._old.receive()
        except LinkLost:  # that is how it ends
            self._old = None
            return 0
        for message in messages:
            self.seen.add(message)
            self._take_once(message)
        if not messages:
            self._before.all_read()
        return len(messages)

    def _take_once(self, message: bytes | None) -> None:
        if message not in self._before:  # else it came by the connection before the old one, and is late
            self._take(message)


def _digest(message: bytes | None) -> bytes:
    return hashlib.blake2b(message or b"", digest_size=16).digest()
