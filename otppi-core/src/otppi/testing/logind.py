"""A system bus of one's own with a logind on it (python-dbusmock), which notes what it is asked, and no more."""

import signal
import sys
from pathlib import Path
from typing import Any, Final

import dbus
import dbus.bus

from otppi.testing.system_bus import ServicesOnBus
from otppi.testing.waiting import PATIENCE, until

SERVICE: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_MANAGER: Final = "org.freedesktop.login1.Manager"
_MOCK: Final = "org.freedesktop.DBus.Mock"
_TEMPLATE: Final = str(Path(__file__).with_name("mock_logind.py"))


class MockLogind(ServicesOnBus):
    """Use it as a context: it ends the bus, and all that was started on it.

    Args:
        folder: Where its files are.
        service: Whether logind is there; else only the bus is.
        policy: Further rules of the bus (dbus-daemon(1), "CONFIGURATION FILE").
    """

    def __init__(self, folder: Path, *, service: bool = True, policy: str = "") -> None:
        super().__init__(folder, policy)
        with self._starting():
            self._connect()
            if service:
                self._service = self._bus.started(
                    [sys.executable, "-W", "ignore", "-m", "dbusmock", "--system", "-t", _TEMPLATE]
                )
                until(lambda: bool(self._connection.name_has_owner(SERVICE)), "logind is there")
                until(self._answers, "logind answers")

    @property
    def calls(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What was called of its methods that switch a computer off, with the arguments."""
        told = self._call("GetCalls", "")
        return [(str(name), tuple(map(bool, given))) for _at, name, given in told if name in ("Reboot", "PowerOff")]

    def refuse(self, member: str, error: str) -> None:
        """Have a method answer with an error from now on."""
        code = f'raise dbus.exceptions.DBusException("in words", name="{error}")'
        self._call("AddMethod", "sssss", _MANAGER, member, "b", "", code)

    def freeze(self) -> None:
        """Have it answer nothing any more."""
        self._service.send_signal(signal.SIGSTOP)

    def _connect(self) -> None:
        self._connection = dbus.bus.BusConnection(self.address)
        self._connection.set_exit_on_disconnect(False)
        self._bus.running.callback(self._connection.close)

    def _answers(self) -> bool:
        try:
            self._call("GetCalls", "")
        except dbus.DBusException:
            return False
        return True

    def _call(self, member: str, signature: str, *args: Any) -> Any:
        return self._connection.call_blocking(SERVICE, _PATH, _MOCK, member, signature, args, timeout=PATIENCE)
