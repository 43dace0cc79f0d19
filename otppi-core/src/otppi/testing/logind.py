"""A system bus of one's own with a logind on it (python-dbusmock), which notes what it is asked, and no more."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import dbus
import dbus.bus

from otppi.testing.waiting import PATIENCE, until

SERVICE: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_MANAGER: Final = "org.freedesktop.login1.Manager"
_MOCK: Final = "org.freedesktop.DBus.Mock"
_TEMPLATE: Final = str(Path(__file__).with_name("mock_logind.py"))
_CONFIG: Final = """<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>{more}</policy>
</busconfig>
"""


class MockLogind:
    """Use it as a context: it ends the bus, and all that was started on it.

    Args:
        folder: Where its files are.
        service: Whether logind is there; else only the bus is.
        policy: Further rules of the bus (dbus-daemon(1), "CONFIGURATION FILE").
    """

    def __init__(self, folder: Path, *, service: bool = True, policy: str = "") -> None:
        self.address = f"unix:path={folder}/bus"
        self._log = folder / "log"
        self._running = ExitStack()
        try:
            self._start_bus(folder, policy)
            if service:
                self._service = self._started(
                    [sys.executable, "-W", "ignore", "-m", "dbusmock", "--system", "-t", _TEMPLATE]
                )
                until(lambda: bool(self._connection.name_has_owner(SERVICE)), "logind is there")
                until(self._answers, "logind answers")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "MockLogind":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bus and the service."""
        self._running.close()

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

    def _start_bus(self, folder: Path, policy: str) -> None:
        config, path = folder / "bus.conf", folder / "bus"
        config.write_text(_CONFIG.format(socket=path, more=policy))
        self._started(["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"])
        until(lambda: _listens(path), self._log.read_text)
        self._connection = dbus.bus.BusConnection(self.address)
        self._connection.set_exit_on_disconnect(False)
        self._running.callback(self._connection.close)

    def _started(self, command: list[str]) -> "subprocess.Popen[bytes]":
        environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.address}
        with self._log.open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._running.callback(_end, process)
        return process

    def _answers(self) -> bool:
        try:
            self._call("GetCalls", "")
        except dbus.DBusException:
            return False
        return True

    def _call(self, member: str, signature: str, *args: Any) -> Any:
        return self._connection.call_blocking(SERVICE, _PATH, _MOCK, member, signature, args, timeout=PATIENCE)


def _listens(path: Path) -> bool:
    """Whether somebody takes connections: the socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(PATIENCE)
