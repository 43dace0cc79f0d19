"""Codes that are sent to a telephone: for a forgotten password, and to see that a number is the administrator's."""

import hashlib
import hmac
import os
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

DIGITS = 8
LIFE = 600.0
"""Seconds that a code is valid (ASVS 5.0 6.5.5)."""
TRIES = 5
"""Wrong codes after which the right one is of no use any more."""
AN_HOUR = 3
"""Codes that are sent for one account within an hour."""
_HOUR = 3_600.0
_MOST = 1_000


@dataclass(slots=True)
class _Sent:
    purpose: str
    username: str
    digest: bytes = field(repr=False)
    ends: float
    tries: int = TRIES


class SentCodes:
    """What was sent, in RAM only; neither codes nor tickets are kept, but keyed hashes of them. Any thread.

    A code is good only with the ticket that whoever asked for it got, which the browser keeps (ASVS 5.0 6.6.3): who
    reads the message alone has nothing of it.

    Args:
        clock: Counts seconds, monotonically.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = os.urandom(32)
        self._lock = Lock()
        self._sent: OrderedDict[bytes, _Sent] = OrderedDict()
        self._times: dict[str, deque[float]] = {}

    def wait(self, username: str) -> float:
        """Return the seconds until another code may be sent for an account."""
        with self._lock:
            return self._wait(username)

    def _wait(self, username: str) -> float:
        now, times = self._clock(), self._times.get(username, deque())
        while times and now - times[0] >= _HOUR:
            times.popleft()
        return times[0] + _HOUR - now if len(times) >= AN_HOUR else 0.0

    def make(self, purpose: str, username: str) -> tuple[str, str]:
        """Make a ticket and a code for an account, instead of the one that was sent before for the same purpose.

        Returns:
            The ticket; and the code, which is empty where no more may be sent now.
        """
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            if self._wait(username):
                return ticket, ""
            self._times.setdefault(username, deque()).append(self._clock())
            before = [key for key, one in self._sent.items() if (one.purpose, one.username) == (purpose, username)]
            for key in before:
                del self._sent[key]
            code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
            ends = self._clock() + LIFE
            self._sent[self._digest(ticket)] = _Sent(purpose, username, self._digest(ticket, code), ends)
            while len(self._sent) > _MOST:
                self._sent.popitem(last=False)
        return ticket, code

    def whose(self, purpose: str, ticket: str, code: str) -> str:
        """Return for whom a code was sent; empty where it is wrong, or no longer valid, or of another ticket."""
        typed = "".join(code.split())
        with self._lock:
            key = self._digest(ticket)
            sent = self._sent.get(key)
            if sent is None or sent.purpose != purpose:
                return ""
            if self._clock() >= sent.ends or not sent.tries:
                del self._sent[key]
                return ""
            if hmac.compare_digest(sent.digest, self._digest(ticket, typed)):
                return sent.username
            sent.tries -= 1
            return ""

    def used(self, ticket: str) -> None:
        """Take a code no more."""
        with self._lock:
            self._sent.pop(self._digest(ticket), None)

    def _digest(self, *parts: str) -> bytes:
        octets = [one.encode("utf-8", "surrogatepass") for one in parts]
        return hashlib.blake2b(
            b"".join(b"%d:%b" % (len(one), one) for one in octets), key=self._key, digest_size=32
        ).digest()
