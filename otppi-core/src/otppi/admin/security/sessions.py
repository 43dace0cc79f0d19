"""Sessions: who is logged in, in RAM only (ASVS 5.0, chapter 7).

The token of a session is 256 random bits, of which only the SHA-256 is kept. It is made at login, anew with each
password that is given, and nowhere else, and is valid by the scheme alone by which it was made. A session lives by the
monotonic clock: a device's wall clock may jump.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE = 30 * 60.0
"""Seconds without a request of a person after which a session ends (7.3.1)."""
LIFE = 12 * 3600.0
"""Seconds after which it ends in any case (7.3.2)."""
FRESH = 5 * 60.0
"""Seconds for which a password that was given is good for what needs it again (7.5.1, 7.5.3)."""
MOST_OF_ONE = 8
"""Sessions of one administrator; the oldest makes room."""


@dataclass(slots=True, eq=False)
class PageSession:
    """One login.

    Attributes:
        key: The SHA-256 of its token.
        name: The administrator's.
        stamp: What the administrator's right to be here was at the login: another one ends the session.
        secure: Whether it was made by HTTPS.
        address, browser: From where, and the browser's name as it gave it, for the list of sessions.
        started, used, confirmed: By the monotonic clock: the login, the last request, the last password.
        since: The login in Unix seconds, for people.
        notice: What the last change has done, to be shown on the next page, once.
        on_end: Called once when it ends.
    """

    key: bytes = field(repr=False)
    name: str
    stamp: str = field(repr=False)
    secure: bool
    address: str
    browser: str
    started: float
    used: float
    confirmed: float
    since: float
    notice: str = field(default="", repr=False)
    on_end: list[Callable[[], None]] = field(default_factory=list, repr=False)

    @property
    def shown_id(self) -> str:
        """What the session is called in a list; nobody gets in by it."""
        return self.key.hex()[:12]


class Sessions:
    """All sessions. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[bytes, PageSession] = {}

    def create(self, name: str, stamp: str, *, secure: bool, address: str, browser: str = "") -> str:
        """Begin a session, and return its token, which is shown to the browser alone."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        session = PageSession(
            _key(token), name, stamp, secure, address, browser[:120], now, now, now, time.time()
        )  # fmt: skip
        with self._lock:
            ended = [one for one in self._sessions.values() if self._is_over(one, now)]
            own = [one for one in self._sessions.values() if one.name == name and one not in ended]
            ended += own[: max(0, len(own) + 1 - MOST_OF_ONE)]
            self._drop(ended)
            self._sessions[session.key] = session
        _tell(ended)
        return token

    def renew(self, session: PageSession, stamp: str) -> str | None:
        """Give a session a new token, after the password was given once more: what goes with the session stays with it.

        Returns:
            The token, in place of the old one; None where the session has ended.
        """
        token = secrets.token_urlsafe(32)
        with self._lock:
            if self._sessions.get(session.key) is not session:
                return None
            del self._sessions[session.key]
            session.key, session.stamp = _key(token), stamp
            session.used = session.confirmed = self._clock()
            self._sessions[session.key] = session
        return token

    def find(self, token: str, *, secure: bool) -> PageSession | None:
        """Return the session of a token; None where it has ended, or was made by the other scheme."""
        with self._lock:
            session = self._sessions.get(_key(token))
            if session is None or session.secure is not secure:
                return None
            if not self._is_over(session, self._clock()):
                return session
            self._drop([session])
        _tell([session])
        return None

    def used(self, session: PageSession) -> None:
        """Note that the person has asked for something: what a page asks for by itself is no activity."""
        session.used = self._clock()

    def is_fresh(self, session: PageSession) -> bool:
        """Whether the password was given a moment ago."""
        return self._clock() - session.confirmed <= FRESH

    def of(self, name: str) -> list[PageSession]:
        """Return the sessions of an administrator, the newest first."""
        now = self._clock()
        with self._lock:
            found = [one for one in self._sessions.values() if one.name == name and not self._is_over(one, now)]
        return found[::-1]

    def end(self, *sessions: PageSession) -> None:
        """End sessions."""
        with self._lock:
            self._drop(sessions)
        _tell(sessions)

    def end_all(self, name: str, but: PageSession | None = None) -> None:
        """End the sessions of an administrator."""
        self.end(*(one for one in self.of(name) if one is not but))

    def tidy(self) -> None:
        """Forget those that are over."""
        now = self._clock()
        with self._lock:
            over = [one for one in self._sessions.values() if self._is_over(one, now)]
            self._drop(over)
        _tell(over)

    def _is_over(self, session: PageSession, now: float) -> bool:
        return now - session.used > IDLE or now - session.started > LIFE

    def _drop(self, sessions: "list[PageSession] | tuple[PageSession, ...]") -> None:
        for one in sessions:
            self._sessions.pop(one.key, None)


def _tell(ended: "list[PageSession] | tuple[PageSession, ...]") -> None:
    for session in ended:
        calls, session.on_end = session.on_end, []
        for call in calls:
            call()


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
