"""The clock of the device by systemd: org.freedesktop.timedate1(5) sets it, org.freedesktop.timesync1(5) asks servers.

How it is, is read from files and from timesyncd, which runs anyway: timedated is started by each call, and is not to
be for a look each minute.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from otppi.api.clock import ClockState, ClockWriter
from otppi.api.errors import NotDone
from otppi_clock.bus import Bus, RefusedByService, opened
from otppi_clock.text import _

_TIMEDATE: Final = "org.freedesktop.timedate1"
_TIMESYNC: Final = "org.freedesktop.timesync1"
_MANAGER: Final = f"{_TIMESYNC}.Manager"
_STILL_ASKS: Final = f"{_TIMEDATE}.AutomaticTimeSyncEnabled"
_STOPPING: Final = 10.0
"""Seconds in which timesyncd ends."""
_AGAIN: Final = 0.25
"""Seconds after which it is tried again, where no signal says that timesyncd has ended."""
_FRESH: Final = 2 * 3600.0
"""Seconds since a server's last answer for which the clock counts as synchronized: timesyncd asks each 34 minutes."""
_ZONES: Final = "zoneinfo/"
_MICROSECONDS: Final = 1e6
_FROM = slice(8, 12)
"""Where the four times are in timesync1's NTPMessage: origin, receive, transmit and destination (RFC 5905, 8)."""


class SystemdClock(ClockWriter):
    """The clock of the device.

    Args:
        root: Where `etc`, `run` and `sys` are, of which the state is read.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def state(self) -> ClockState:
        """Return how the clock is."""
        with opened() as bus:
            asks = bus.has(_TIMESYNC)
            told = bus.properties(_TIMESYNC, _MANAGER) if asks else {}
        told_at = self._told_at()
        return ClockState(
            synchronized=asks and told_at is not None and abs(time.time() - told_at) < _FRESH,
            was_told=told_at is not None,
            asks_servers=asks,
            time_zone=self._zone(),
            battery_clock=self._battery_clock(),
            servers=tuple(map(str, told.get("RuntimeNTPServers", ()))),
            server=str(told.get("ServerName", "")),
            offset=_offset(told.get("NTPMessage", ())),
        )

    def set_time(self, unix: float) -> None:
        """Set the clock: systemd refuses that while servers are asked, so that these are not asked for a moment."""
        began = time.monotonic()
        with opened() as bus:
            asks = bus.has(_TIMESYNC)
            if asks:
                _set_asking(bus, on=False)
            try:
                _set_time(bus, unix, began)
            finally:
                if asks:
                    _set_asking(bus, on=True)

    def set_time_zone(self, name: str) -> None:
        """Set the zone of the device."""
        with opened() as bus:
            bus.call(_TIMEDATE, _TIMEDATE, "SetTimezone", "sb", name, False)

    def set_asking(self, on: bool) -> None:
        """Start or stop timesyncd, for now and for each start of the device."""
        with opened() as bus:
            _set_asking(bus, on=on)

    def set_servers(self, servers: Sequence[str]) -> None:
        """Tell timesyncd, which forgets them when it ends.

        Raises:
            NotDone: It does not run.
        """
        with opened() as bus:
            if not bus.has(_TIMESYNC):
                raise NotDone(_("no server is asked for the time: systemd-timesyncd does not run"))
            bus.call(_TIMESYNC, _MANAGER, "SetRuntimeNTPServers", "as", list(servers))

    def _told_at(self) -> float | None:
        """Return when a server last told the time: timesyncd touches this file then (its man page)."""
        try:
            return (self._root / "run/systemd/timesync/synchronized").stat().st_mtime
        except OSError:
            return None

    def _zone(self) -> str:
        """Return which zone /etc/localtime leads to (localtime(5)); without one it is UTC."""
        try:
            target = str((self._root / "etc/localtime").readlink())
        except FileNotFoundError:
            return "UTC"
        except OSError:  # a copy of a table, which says not of what
            return ""
        return target.partition(_ZONES)[2]

    def _battery_clock(self) -> float | None:
        for file in sorted((self._root / "sys/class/rtc").glob("rtc*/since_epoch")):
            try:
                return float(file.read_text("ascii"))
            except (OSError, ValueError):  # its chip does not answer, or has lost its time
                continue
        return None


def _set_time(bus: Bus, unix: float, began: float) -> None:
    """Set the clock as soon as timesyncd has ended: `SetNTP` returns before that.

    Args:
        bus: The bus.
        unix: What time it was at `began`.
        began: By the monotonic clock.
    """
    deadline = began + _STOPPING
    bus.listen(_TIMEDATE)
    while True:
        now = unix + time.monotonic() - began
        try:
            bus.call(_TIMEDATE, _TIMEDATE, "SetTime", "xbb", round(now * _MICROSECONDS), False, False)
        except RefusedByService as error:
            if error.name != _STILL_ASKS or time.monotonic() > deadline:
                raise
            bus.wait(_AGAIN)
        else:
            return


def _set_asking(bus: Bus, *, on: bool) -> None:
    bus.call(_TIMEDATE, _TIMEDATE, "SetNTP", "bb", on, False)


def _offset(message: Sequence[Any]) -> float | None:
    """Return by how many seconds this clock was ahead of the server's (RFC 5905, 8); None where none has answered."""
    if len(message) <= _FROM.stop:
        return None
    origin, receive, transmit, destination = map(int, message[_FROM])
    if not (origin and destination):
        return None
    return -((receive - origin) + (transmit - destination)) / 2 / _MICROSECONDS
