"""Stands in for systemd's timedated and timesyncd on a test's bus; run by `otppi.testing.clock`.

It sets no clock of this computer: its own is that of the computer and a difference. Errors, the order of answers and
signals, and what is forgotten when are those of org.freedesktop.timedate1(5) and org.freedesktop.timesync1(5): SetTime
is refused while timesyncd runs, and timesyncd ends a moment after SetNTP has answered.
"""

import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

import dbus
import dbus.bus
import dbus.lowlevel

from otppi.kit.dbus_dispatch import BusDispatcher
from otppi.kit.files import replace_whole

_TIMEDATE: Final = "org.freedesktop.timedate1"
_TIMESYNC: Final = "org.freedesktop.timesync1"
_METHOD_CALL: Final = 1
_HANDLED, _NOT_YET_HANDLED = 0, 1
_NEVER: Final = (0, 4, 4, 1, -20, 0, 0, [0] * 4)
"""What of NTPMessage stands before its four times."""


class ClockService:
    """The stand-in.

    Args:
        folder: What it is told is in `says.json`, how it is in `clock.json`, the time zone in `root/etc/localtime`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
        self._came: list[Any] = []
        self._connection.add_message_filter(self._note)
        self._dispatcher = BusDispatcher(self._connection)
        self._connection.request_name(_TIMEDATE)
        self._ends_at: float | None = None
        self._servers: list[str] = []
        self._runs = False
        self._difference = 0.0
        if self._says()["asks"]:
            self._start_timesyncd()
        self._tell()

    def run(self) -> None:
        """Answer until the bus is gone, or at a SIGTERM."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        (self._folder / "ready").touch()
        poll = select.poll()
        poll.register(self._connection.get_unix_fd(), select.POLLIN)
        while self._dispatcher.turn():
            for message in self._came:
                self._answer(message)
            self._came.clear()
            self._connection.flush()
            left = None if self._ends_at is None else max(0.0, self._ends_at - time.monotonic()) * 1000
            if not poll.poll(left) and self._ends_at is not None:
                self._end_timesyncd()

    def _note(self, _connection: Any, message: Any) -> int:
        """Keep it: nothing may be done in the midst of libdbus."""
        if message.get_type() != _METHOD_CALL:
            return _NOT_YET_HANDLED
        self._came.append(message)
        return _HANDLED

    def _says(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self._folder / "says.json").read_text())
        return said

    def _tell(self) -> None:
        now = {"difference": self._difference, "asks": self._runs, "servers": self._servers}
        replace_whole(self._folder / "clock.json", json.dumps(now).encode())

    def _answer(self, message: Any) -> None:
        says, member = self._says(), message.get_member()
        if says["silent"]:
            return
        try:
            _refuse(says["refuse"].get(member))
            signature, value = getattr(self, f"_{member}")(*message.get_args_list())
        except dbus.DBusException as error:
            reply = dbus.lowlevel.ErrorMessage(message, error.get_dbus_name(), error.get_dbus_message())
        else:
            reply = dbus.lowlevel.MethodReturnMessage(message)
            if signature:
                reply.append(value, signature=signature)
        self._tell()
        self._connection.send_message(reply)

    # -- timedate1 --------------------------------------------------------------------------------------------------

    def _SetTime(self, microseconds: int, relative: bool, interactive: bool) -> tuple[str, None]:  # noqa: N802
        _nobody_is_asked(interactive)
        if self._runs:
            raise dbus.DBusException(
                "Automatic time synchronization is enabled", name=f"{_TIMEDATE}.AutomaticTimeSyncEnabled"
            )
        if microseconds <= 0 and not relative:
            raise _invalid("Invalid absolute time")
        self._difference = microseconds / 1e6 - (0 if relative else time.time())
        return "", None

    def _SetTimezone(self, name: str, interactive: bool) -> tuple[str, None]:  # noqa: N802
        _nobody_is_asked(interactive)
        if name not in self._says()["zones"]:
            raise _invalid("Invalid or not installed time zone")
        link = self._folder / "root/etc/localtime"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../usr/share/zoneinfo/{name}")
        return "", None

    def _SetNTP(self, on: bool, interactive: bool) -> tuple[str, None]:  # noqa: N802
        _nobody_is_asked(interactive)
        if on and not self._runs:
            self._start_timesyncd()
        elif on:
            self._ends_at = None
        elif self._runs:
            self._ends_at = time.monotonic() + self._says()["stopping"]
        return "", None

    # -- timesync1 --------------------------------------------------------------------------------------------------

    def _GetAll(self, interface: str) -> tuple[str, Any]:  # noqa: N802
        if interface != f"{_TIMESYNC}.Manager":
            raise _invalid(interface)
        at = [int(one * 1e6) for one in self._says()["message"]]
        message = (*_NEVER, *(at or [0] * 4), False, len(at), 0)
        told = {
            "RuntimeNTPServers": dbus.Array(self._servers, signature="s"),
            "ServerName": self._servers[0] if self._servers else "0.debian.pool.ntp.org",
            "NTPMessage": dbus.Struct(message, signature="uuuuittayttttbtt"),
        }
        return "a{sv}", dbus.Dictionary(told, signature="sv")

    def _SetRuntimeNTPServers(self, servers: list[str]) -> tuple[str, None]:  # noqa: N802
        if any(not one or len(one) > 253 or one.startswith("-") for one in servers):
            raise _invalid("Invalid runtime server name")
        self._servers = [str(one) for one in servers]
        return "", None

    def _start_timesyncd(self) -> None:
        self._connection.request_name(_TIMESYNC)
        self._runs, self._ends_at = True, None

    def _end_timesyncd(self) -> None:
        self._connection.release_name(_TIMESYNC)
        self._runs, self._ends_at, self._servers = False, None, []
        self._tell()
        path, interface = "/org/freedesktop/timedate1", "org.freedesktop.DBus.Properties"
        told = dbus.lowlevel.SignalMessage(path, interface, "PropertiesChanged")
        told.append(_TIMEDATE, {"NTP": False}, [], signature="sa{sv}as")
        self._connection.send_message(told)


def _refuse(name: str | None) -> None:
    if name is not None:
        raise dbus.DBusException("in words", name=name)


def _nobody_is_asked(interactive: bool) -> None:
    if interactive:
        raise _invalid("there is nobody whom polkit could ask")


def _invalid(text: str) -> dbus.DBusException:
    return dbus.DBusException(text, name="org.freedesktop.DBus.Error.InvalidArgs")


if __name__ == "__main__":
    ClockService(Path(sys.argv[1])).run()
