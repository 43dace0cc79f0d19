"""Stands in for systemd on a test's bus: starts and stops units, and tells of their jobs, as systemd does.

Errors, results, the order of answers and signals, and who hears them are those of org.freedesktop.systemd1(5). It is
run by `otppi.testing.system_units`, as `python -m otppi.testing.system_units_manager FOLDER`.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dbus
import dbus.bus
import dbus.lowlevel

from otppi.kit.dbus_dispatch import BusDispatcher

_SERVICE: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"
_MANAGER: Final = f"{_SERVICE}.Manager"
_METHOD_CALL, _SIGNAL = 1, 4
_HANDLED, _NOT_YET_HANDLED = 0, 1
_EXEC_FAILED: Final = 203
"""EXIT_EXEC of systemd.exec(5)."""


@dataclass(slots=True)
class _Unit:
    """A unit that was started once."""

    process: "subprocess.Popen[bytes] | None" = None
    pidfd: int = -1
    exit_code: tuple[int, int] = (0, 0)
    """ExecMainCode and ExecMainStatus."""
    jobs: list[tuple[str, Callable[[int], str]]] = field(default_factory=list)
    """Those that end when the program ends, and what their result is at its exit status."""


class Manager:
    """The stand-in.

    Args:
        folder: What it is told is in `says.json`, what it did in `calls` and `pids`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "pids").mkdir()
        self._connection = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])
        self._came: list[Any] = []
        self._connection.add_message_filter(self._note)
        self._dispatcher = BusDispatcher(self._connection)
        self._connection.add_match_string("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'")
        self._connection.request_name(_SERVICE)
        self._subscribed: set[str] = set()
        self._units: dict[str, _Unit] = {}
        self._number = 0

    def run(self) -> None:
        """Answer until the bus is gone, or at a SIGTERM."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        (self._folder / "ready").touch()
        try:
            while self._dispatcher.turn():
                for message in self._came:
                    self._answer(message)
                self._came.clear()
                poll = select.poll()
                running = {unit.pidfd: name for name, unit in self._units.items() if unit.process is not None}
                for descriptor in (self._connection.get_unix_fd(), *running):
                    poll.register(descriptor, select.POLLIN)
                self._connection.flush()
                for descriptor, _event in poll.poll():
                    if descriptor in running:
                        self._ended(running[descriptor])
        finally:
            for unit in self._units.values():
                if unit.process is not None:
                    unit.process.kill()
                    unit.process.wait()

    def _note(self, _connection: Any, message: Any) -> int:
        """Keep it: nothing may be done in the midst of libdbus."""
        self._came.append(message)
        return _HANDLED if message.get_type() == _METHOD_CALL else _NOT_YET_HANDLED

    # -- methods ----------------------------------------------------------------------------------------------------

    def _answer(self, message: Any) -> None:
        if message.get_type() == _SIGNAL and message.get_member() == "NameOwnerChanged":
            name, _old, new = message.get_args_list()
            if not new:
                self._subscribed.discard(str(name))
            return
        if message.get_type() != _METHOD_CALL or self._says()["silent"]:
            return
        try:
            then = getattr(self, f"_{message.get_member()}")(message)
        except dbus.DBusException as error:
            self._connection.send_message(
                dbus.lowlevel.ErrorMessage(message, error.get_dbus_name(), error.get_dbus_message())
            )
            return
        if then is not None:
            then()

    def _says(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads((self._folder / "says.json").read_text())
        return said

    def _reply(self, message: Any, signature: str = "", *values: object) -> None:
        reply = dbus.lowlevel.MethodReturnMessage(message)
        if signature:
            reply.append(*values, signature=signature)
        self._connection.send_message(reply)

    def _Subscribe(self, message: Any) -> None:  # noqa: N802 - as on the bus
        self._subscribed.add(message.get_sender())
        self._reply(message)

    def _GetUnit(self, message: Any) -> None:  # noqa: N802
        (name,) = message.get_args_list()
        if name not in self._units:
            raise _error("NoSuchUnit", f"Unit {name} not loaded.")
        self._reply(message, "o", f"{_PATH}/unit/{_escaped(name)}")

    def _Get(self, message: Any) -> None:  # noqa: N802 - of org.freedesktop.DBus.Properties
        _interface, name = message.get_args_list()
        (unit,) = (one for key, one in self._units.items() if message.get_path().endswith(f"/{_escaped(key)}"))
        value = unit.exit_code[("ExecMainCode", "ExecMainStatus").index(name)]
        self._reply(message, "v", dbus.Int32(value, variant_level=1))

    def _StartUnit(self, message: Any) -> Callable[[], None]:  # noqa: N802
        name, unit, declared = self._asked(message)
        job = self._job(message)
        if unit.process is not None:  # it runs already
            return lambda: self._removed(job, name, "done")
        try:
            self._run(name, unit, declared)
        except OSError:
            unit.exit_code = (os.CLD_EXITED, _EXEC_FAILED)
            return lambda: self._removed(job, name, "failed")
        if not declared["oneshot"]:
            return lambda: self._removed(job, name, "done")
        unit.jobs.append((job, lambda code: "failed" if code else "done"))
        return lambda: None

    def _StopUnit(self, message: Any) -> Callable[[], None]:  # noqa: N802
        name, unit, _declared = self._asked(message)
        job = self._job(message)
        if unit.process is None:
            return lambda: self._removed(job, name, "done")
        unit.jobs.append((job, lambda _code: "done"))
        unit.process.terminate()
        return lambda: None

    def _asked(self, message: Any) -> tuple[str, _Unit, dict[str, Any]]:
        """Return what a start or a stop is about.

        Raises:
            dbus.DBusException: It is refused.
        """
        name, mode = map(str, message.get_args_list())
        if mode != "replace":
            raise dbus.DBusException("Job mode invalid", name="org.freedesktop.DBus.Error.InvalidArgs")
        with (self._folder / "calls").open("a") as calls:
            calls.write(f"{message.get_member()} {name}\n")
        says = self._says()
        if says["refuse"]:
            raise dbus.DBusException("it is refused", name=says["refuse"])
        prefix, at, _instance = name.partition("@")
        declared = says.get("units", {}).get(f"{prefix}@.service" if at else name)
        if declared is None:
            raise _error("NoSuchUnit", f"Unit {name} not found.")
        return name, self._units.setdefault(name, _Unit()), declared

    # -- units and jobs ---------------------------------------------------------------------------------------------

    def _run(self, name: str, unit: _Unit, declared: dict[str, Any]) -> None:
        instance = name.partition("@")[2].removesuffix(".service")
        own = self._folder / "run" / name
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = os.environ | {"RUNTIME_DIRECTORY": str(own)} | declared["environment"]
        command = [one.replace("%i", instance) for one in declared["command"]]
        unit.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        unit.pidfd = os.pidfd_open(unit.process.pid)
        (self._folder / "pids" / name).write_text(str(unit.process.pid))

    def _ended(self, name: str) -> None:
        unit = self._units[name]
        assert unit.process is not None  # noqa: S101 - it has ended just now
        code = unit.process.wait()
        unit.exit_code = (os.CLD_EXITED, code) if code >= 0 else (os.CLD_KILLED, -code)
        os.close(unit.pidfd)
        unit.process, unit.pidfd = None, -1
        (self._folder / "pids" / name).unlink()
        shutil.rmtree(self._folder / "run" / name, ignore_errors=True)
        jobs, unit.jobs = unit.jobs, []
        for job, result in jobs:
            self._removed(job, name, result(code))

    def _job(self, message: Any) -> str:
        """Make a job, and answer with its path."""
        self._number += 1
        job = f"{_PATH}/job/{self._number}"
        self._reply(message, "o", job)
        return job

    def _removed(self, job: str, name: str, result: str) -> None:
        """Tell that a job has ended, where somebody wants to hear it."""
        if not self._subscribed:
            return
        told = dbus.lowlevel.SignalMessage(_PATH, _MANAGER, "JobRemoved")
        number = int(job.rpartition("/")[2])
        told.append(number, job, name, self._says()["result"] or result, signature="uoss")
        self._connection.send_message(told)


def _error(name: str, text: str) -> dbus.DBusException:
    return dbus.DBusException(text, name=f"{_SERVICE}.{name}")


def _escaped(name: str) -> str:
    """Return a unit's name as it is in its path (sd_bus_path_encode(3))."""
    return "".join(one if one.isalnum() else f"_{ord(one):02x}" for one in name)


if __name__ == "__main__":
    Manager(Path(sys.argv[1])).run()
