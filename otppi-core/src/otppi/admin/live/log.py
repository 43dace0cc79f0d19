"""What pages of the log are told: each line that comes, in RAM of the gateway, as it is kept there."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from otppi.admin.live.frames import RETRY, frame
from otppi.admin.live.hub import Hub, Telling, WatcherLimits
from otppi.admin.live.snapshot import clock
from otppi.admin.rendering.plain import visible
from otppi.admin.rendering.states import LOG_LEVELS
from otppi.host.log.operations import described
from otppi.host.log.ring import LogLine, LogRing

THREAD: Final = "administration-log"
_LIMITS: Final = WatcherLimits(watchers=8, per_session=2)
"""A page of the log is told much more than one of the monitor, and few people look at it."""
_AT_ONCE: Final = 40_000
"""Octets of lines in one event: the newest; a stream takes 64,000 at once. The page says how many are left out."""
_LONGEST_ID: Final = 20


class LogHub(Hub):
    """The hub of the log.

    Args:
        ring: Keeps the log.
        limits: What watchers may take.
    """

    def __init__(self, ring: LogRing, limits: WatcherLimits = _LIMITS) -> None:
        super().__init__(THREAD, lambda told: LogTelling(ring, told), limits)


class LogTelling(Telling):
    """Tells lines, each event with the number of its last one as its id: who comes back gets what came since."""

    def __init__(self, ring: LogRing, limits: WatcherLimits) -> None:
        super().__init__(limits)
        self._ring = ring
        self._told = ring.last

    def change(self, now: float) -> bytes:  # noqa: ARG002 - lines tell by their numbers that they are new
        """Return what came; a line that several watchers have not seen is written once."""
        lines = self._ring.since(self._told) if self._ring.last > self._told else []
        if not lines:
            return b""
        self._told = lines[-1].number
        return _event(lines)

    def greeting(self, last_event_id: str) -> bytes:
        """Return what came since the page was made, which says the number of its last line."""
        number = last_event_id[:_LONGEST_ID]
        known = number.isascii() and number.isdecimal()
        lines = [one for one in self._ring.since(int(number)) if one.number <= self._told] if known else []
        return _event(lines) if lines else frame("ping", clock(), str(self._told), retry=RETRY)

    def end(self) -> None:
        """Do nothing: the ring is filled whether anybody looks at it or not."""


def shown(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line, as the operation `log` tells it, as pages show it.

    Its time is in the device's zone, with the day where that is another one than today.
    """
    then = time.localtime(line["at"])
    today = then[:3] == time.localtime()[:3]
    return {
        "number": line["number"],
        "time": time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then),
        "level": line["level"],
        "look": LOG_LEVELS[line["level"]],
        "room": visible(line["room"]),
        "text": visible(line["text"]),
    }


def _event(lines: Iterable[LogLine]) -> bytes:
    """Write lines as one event: as many of the newest as there is room for, and how many those leave out."""
    told, size, left_out, last = [], 0, 0, 0
    for one in reversed(list(lines)):
        last = last or one.number
        size += len(one.line.encode("ascii", "backslashreplace")) + 120
        if size > _AT_ONCE:
            left_out += 1
        else:
            told.append(shown(described(one)))
    return frame("lines", {"lines": told[::-1], "left_out": left_out, **clock()}, str(last), retry=RETRY)
