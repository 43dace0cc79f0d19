"""A connection to a server: its state, for people to see, and the pauses between attempts to have it back."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.errors import OtpPiError
from otppi.kit.net.back_off import Backoff
from otppi.text import _, words

logger = logging.getLogger(__name__)

_STEADY = 10.0
"""A connection that held for so many seconds is tried again after the shortest pause when it fails."""
_SAID_AGAIN = 3600.0
"""A problem that stays the same is logged again after so many seconds."""
_COMES_WITHIN = 60.0
"""Seconds within which the connection's thread comes when it is called: it may be opening a connection."""
_DESCRIBED = frozenset({"server", "connected", "detail", "since", "attempts", "last_problem"})


def is_link(described: Mapping[str, Any]) -> bool:
    """Whether what an ingress says of itself is that of a connection: it holds all that `Link.describe` gives."""
    return described.keys() >= _DESCRIBED


_CONNECTED = _("connected")


class LinkLost(OtpPiError):  # noqa: N818
    """The server cannot be reached, refuses, or has gone; the sentence says why and holds no secret."""


class Link:
    """The state of a connection. `keep` and `connected` are called by the connection's thread, the rest by any.

    Args:
        name: The ingress, for the log.
        server: The server as people see it: host and port.
        first, cap: The shortest and the longest pause before another attempt, in seconds.
    """

    def __init__(self, name: str, server: str, *, first: float = 0.5, cap: float = 30.0) -> None:
        self._name = name
        self._server = server
        self._backoff = Backoff(first, cap)
        self._stopping = threading.Event()
        self._connected_at: float | None = None
        self._since = time.time()
        self._last_error: str | None = None
        self._attempts = 0
        self._detail: str = _("connecting")
        self._said: tuple[str, float] | None = None
        self._called_at: float | None = None

    def keep(self, session: Callable[[], None]) -> None:
        """Call `session` again and again, until `stop`: it connects, works until told to stop, and returns.

        When it raises LinkLost, that is logged, once while the reason stays the same, and there is a pause; when it
        returns, it is called again at once.
        """
        while not self._stopping.is_set():
            try:
                session()
            except LinkLost as error:
                if self._stopping.is_set():
                    return
                self._pause(words(error))
            finally:
                self._connected_at = None

    def connected(self, detail: str = _CONNECTED) -> None:
        """Note that the server has accepted the connection."""
        logger.info("%s: connected to %s", self._name, self._server)  # first: who sees the state finds its line
        self._attempts, self._last_error, self._said = 0, None, None
        self._change(detail)
        self._connected_at = time.monotonic()

    def say(self, detail: str) -> None:
        """Note what the connection does now, such as why it takes nothing."""
        if detail != self._detail:
            self._change(detail)

    def calling(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Return what wakes the connection's thread, and takes note of since when it is called (any thread)."""

        def call() -> None:
            if self._called_at is None:
                self._called_at = time.monotonic()
            wake()

        return call

    def came(self) -> None:
        """Note that the connection's thread looks at what is to be done."""
        self._called_at = None

    def stalled(self) -> str:
        """Say so where the thread of a connection that is up does not come when it is called; else empty."""
        called_at = self._called_at
        if called_at is None or self._connected_at is None:
            return ""
        waits = time.monotonic() - max(called_at, self._connected_at)
        return (
            _("its connection's thread has done nothing for {waits:.0f} s", waits=waits)
            if waits > _COMES_WITHIN
            else ""
        )

    def stop(self) -> None:
        """End `keep`, and its pause."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    @property
    def is_connected(self) -> bool:
        """Whether the server has accepted the connection, and it has not been lost."""
        return self._connected_at is not None

    def describe(self) -> dict[str, Any]:
        """Return how it is."""
        return {
            "server": self._server,
            "connected": self.is_connected,
            "detail": self._detail,
            "since": round(self._since),
            "attempts": self._attempts,
            "last_problem": self._last_error,
        }

    def _pause(self, reason: str) -> None:
        if self._connected_at is not None and time.monotonic() - self._connected_at > _STEADY:
            self._backoff.reset()
        delay = self._backoff.delay()
        now = time.monotonic()
        if self._said is None or self._said[0] != reason or now - self._said[1] > _SAID_AGAIN:
            self._said = (reason, now)
            logger.warning(
                "%s: no connection to %s: %s; tried again in %.1f s, until then nothing is taken from it",
                self._name, self._server, reason, delay,
            )  # fmt: skip
        # Then the state: who sees that it is not connected finds the line of it in the log, and why in `describe`.
        self._last_error = reason
        self._attempts += 1
        self._change(_("waiting to connect again"))
        self._connected_at = None
        self._stopping.wait(delay)

    def _change(self, detail: str) -> None:
        self._detail, self._since = detail, time.time()
