"""A system bus of a test's own (a real dbus-daemon), and the programs that are started on it."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from otppi.testing.waiting import PATIENCE, until

ADDRESS: Final = "DBUS_SYSTEM_BUS_ADDRESS"
"""The environment's variable by which programs find their system bus."""
_CONFIG: Final = """<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>{more}</policy>
</busconfig>
"""


class SystemBus:
    """A running bus.

    Args:
        folder: Where its files are; its path is short, as that of a socket has to be.
        policy: Further rules of the bus (dbus-daemon(1), "CONFIGURATION FILE").

    Attributes:
        address: Where programs find it.
        daemon: Its process.
        log: What the bus and the programs on it say.
        running: What is ended with it, the last one first.
    """

    def __init__(self, folder: Path, policy: str = "") -> None:
        self._config, self._path = folder / "bus.conf", folder / "bus"
        self.address = f"unix:path={self._path}"
        self.log = folder / "log"
        self.running = ExitStack()
        self._config.write_text(_CONFIG.format(socket=self._path, more=policy))
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the bus, also once more after its daemon has ended; nobody who was on it is on it again."""
        self._path.unlink(missing_ok=True)
        self.daemon = self.started(["dbus-daemon", f"--config-file={self._config}", "--nofork", "--nopidfile"])
        until(lambda: _listens(self._path), self.log.read_text)

    def started(
        self, command: list[str], end: Callable[["subprocess.Popen[bytes]"], None] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a program whose system bus this is, and return its process.

        Args:
            command: The program and its arguments.
            end: Ends it; without, it is killed.
        """
        environment = os.environ | {ADDRESS: self.address}
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.callback(end or _kill, process)
        return process

    def close(self) -> None:
        """End the bus, and all that was started on it."""
        self.running.close()


class ServicesOnBus:
    """Services on a bus of their own, as stand-ins for those of a device are. Use it as a context: it ends them.

    Args:
        folder: Where its files are; its path is short, as that of a socket has to be.
        policy: Further rules of the bus (dbus-daemon(1), "CONFIGURATION FILE").

    Attributes:
        address: Where programs find the bus.
    """

    def __init__(self, folder: Path, policy: str = "") -> None:
        self._folder = folder
        self._bus = SystemBus(folder, policy)
        self.address = self._bus.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bus, and all that was started on it."""
        self._bus.close()

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Leave nothing running where a service does not come up."""
        try:
            yield
        except BaseException:
            self.close()
            raise


def _listens(path: Path) -> bool:
    """Whether somebody takes connections: the socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(PATIENCE)
