"""A system bus of a test's own, and on it what starts and stops units as systemd does (org.freedesktop.systemd1(5)).

The bus is a real dbus-daemon. What stands in for systemd is a process of its own, `otppi.testing.system_units_manager`,
which runs the programs of units as child processes.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from otppi.testing.system_bus import ServicesOnBus
from otppi.testing.waiting import PATIENCE, until


class SystemUnits(ServicesOnBus):
    """Use it as a context: it ends the bus, the stand-in, and the programs of its units.

    Args:
        folder: Where its files are; its path is short, as that of a socket has to be.
        systemd: Whether systemd is there; else only the bus is.
        policy: Further rules of the bus (dbus-daemon(1), "CONFIGURATION FILE").
    """

    def __init__(self, folder: Path, *, systemd: bool = True, policy: str = "") -> None:
        super().__init__(folder, policy)
        self._says: dict[str, Any] = {}
        with self._starting():
            self.behave()
            if systemd:
                manager = [sys.executable, "-m", "otppi.testing.system_units_manager", str(folder)]
                self._systemd = self._bus.started(manager, _end)
                until((folder / "ready").exists, self._bus.log.read_text)

    def define(
        self,
        unit: str,
        command: Sequence[str | Path],
        *,
        oneshot: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Let there be a unit.

        Args:
            unit: Its name; of a template with nothing behind the @.
            command: Its program, where `%i` is the instance.
            oneshot: Whether its start is done when its program has ended, and not when it runs.
            environment: What its program finds, beside the variables of this process and RUNTIME_DIRECTORY.
        """
        self._says.setdefault("units", {})[unit] = {
            "command": [str(one) for one in command],
            "oneshot": oneshot,
            "environment": dict(environment or {}),
        }
        self._tell()

    def behave(self, *, refuse: str = "", result: str = "", silent: bool = False) -> None:
        """Say how it answers from now on.

        Args:
            refuse: The name of the error with which it answers a start or stop, and does nothing.
            result: The result that each job has, whatever becomes of the unit.
            silent: Whether it answers nothing more.
        """
        self._says |= {"refuse": refuse, "result": result, "silent": silent}
        self._tell()

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The starts and stops that were asked for: the method, and the unit."""
        path = self._folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(member, unit) for member, _space, unit in (line.partition(" ") for line in lines)]

    def main_pid(self, unit: str) -> int | None:
        """Return the process of a unit's program, None where it does not run."""
        path = self._folder / "pids" / unit
        return int(path.read_text()) if path.exists() else None

    def end_bus(self) -> None:
        """End the bus."""
        _end(self._bus.daemon)

    def _tell(self) -> None:
        new = self._folder / "says.new"
        new.write_text(json.dumps(self._says))
        new.replace(self._folder / "says.json")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: the stand-in for systemd ends the programs of its units first."""
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
