"""Units of systemd that do what needs root: started and stopped over D-Bus (org.freedesktop.systemd1(5)).

In the card image the gateway may do very little, and has units of its own for the rest; polkit lets it start and stop
those, by their names. Elsewhere there are none: whoever needs root then does it itself, or starts a child process.

Each call has a connection of its own to the system bus. dbus-python may be missing; it is imported where a unit is
started.
"""

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from otppi.api.errors import OtpPiError
from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi.text import _

IN_USE: Final = "OTPPI_UNITS"
"""The environment variable that the service file of the card image sets to 1: there are units for what needs root."""

_SERVICE: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"
_MANAGER: Final = "org.freedesktop.systemd1.Manager"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_CALL_TIMEOUT: Final = 10.0
_BETWEEN: Final = 1.0
"""Seconds between two calls of what somebody wants done meanwhile."""
_SIGNAL: Final = 4
_NOT_YET_HANDLED: Final = 1
_SYSTEMD: Final = "org.freedesktop.systemd1."
_NO_UNIT: Final = frozenset(
    f"{_SYSTEMD}{name}" for name in ("NoSuchUnit", "LoadFailed", "BadUnitSetting", "UnitMasked")
)
_DONE: Final = "done"
_TIMED_OUT: Final = "timeout"


class UnitError(OtpPiError):
    """A unit was not started or stopped; the sentence says why, for a person."""


class UnitFailed(UnitError):  # noqa: N818 - as NotSent
    """The unit did not do what it was started for.

    Attributes:
        exit_status: That of its program, where it ended by itself and systemd knows it; else None.
    """

    def __init__(self, cause: str, exit_status: int | None) -> None:
        super().__init__(cause)
        self.exit_status = exit_status


def in_use() -> bool:
    """Return whether what needs root is done by units of the system."""
    return os.environ.get(IN_USE) == "1"


def start(unit: str, timeout: float = 30.0, meanwhile: Callable[[], None] | None = None) -> None:
    """Start a unit, and wait until it runs; of a oneshot, until it has done its work.

    Args:
        unit: Its whole name, such as `otppi-usb-power@1-1.2.service`; what is in it is the caller's to check.
        timeout: Seconds that it may take.
        meanwhile: Called about once a second while that goes on; what it raises ends the waiting, and not the unit.

    Raises:
        UnitFailed: It was started, and failed.
        UnitError: It was not started, or it is not known what became of it.
    """
    with _systemd(unit) as systemd:
        result = systemd.carry_out("StartUnit", unit, timeout, meanwhile)
        if result != _DONE:
            raise _failed(unit, result, systemd.exit_status(unit))


def stop(unit: str, timeout: float = 30.0) -> None:
    """Stop a unit, and wait until it has ended; one that does not run is left alone.

    Args:
        unit: Its whole name.
        timeout: Seconds that it may take.

    Raises:
        UnitError: It was not stopped, or it is not known what became of it.
    """
    with _systemd(unit) as systemd:
        result = systemd.carry_out("StopUnit", unit, timeout)
        if result != _DONE:
            raise _failed(unit, result, None)


class _Systemd:
    """systemd, over a connection that the thread which made it uses alone.

    Args:
        connection: A private one to the system bus.

    Raises:
        dbus.DBusException: It is not there.
    """

    def __init__(self, connection: Any) -> None:
        from otppi.kit.dbus_dispatch import BusDispatcher

        self._connection = connection
        self._owner = connection.get_name_owner(_SERVICE)
        self._dispatcher = BusDispatcher(connection)
        self._results: dict[str, str] = {}
        self._filter = self._note  # one object: libdbus aborts the process where another one is taken away
        connection.add_message_filter(self._filter)

    def close(self) -> None:
        """Hear no more signals."""
        self._connection.remove_message_filter(self._filter)

    def carry_out(self, member: str, unit: str, timeout: float, meanwhile: Callable[[], None] | None = None) -> str:
        """Have a job made of a unit, and wait for its result.

        Raises:
            UnitError: It did not come in time.
            dbus.DBusException: There is no such job, or the bus is gone.
        """
        # First: the job may be over before its path is known here.
        self._connection.add_match_string(
            f"type='signal',sender='{_SERVICE}',path='{_PATH}',interface='{_MANAGER}',member='JobRemoved'"
        )
        self._call(_MANAGER, "Subscribe", "")
        job = str(self._call(_MANAGER, member, "ss", unit, "replace"))
        deadline = time.monotonic() + timeout
        poll = select.poll()
        poll.register(self._connection.get_unix_fd(), select.POLLIN)
        while self._dispatcher.turn() and job not in self._results:
            left = deadline - time.monotonic()
            if left <= 0:
                raise UnitError(_("{unit} was not done within {seconds:.0f} s", unit=unit, seconds=timeout))
            poll.poll((left if meanwhile is None else min(left, _BETWEEN)) * 1000)
            if meanwhile is not None:
                meanwhile()
        if job not in self._results:
            raise UnitError(_("the system bus (D-Bus) is gone: it is not known what became of {unit}", unit=unit))
        return self._results[job]

    def exit_status(self, unit: str) -> int | None:
        """Return how the main program of a service that failed ended: its exit status, None where there is none.

        Raises:
            dbus.DBusException: systemd does not tell.
        """
        import dbus

        try:
            path = str(self._call(_MANAGER, "GetUnit", "s", unit))
        except dbus.DBusException as error:
            if error.get_dbus_name() == f"{_SYSTEMD}NoSuchUnit":
                return None  # it has been forgotten already (CollectMode=)
            raise
        service = f"{_SERVICE}.Service"
        code, status = (
            int(self._call(_PROPERTIES, "Get", "ss", service, name, path=path))
            for name in ("ExecMainCode", "ExecMainStatus")
        )
        return status if code == os.CLD_EXITED else None

    def _call(self, interface: str, member: str, signature: str, *args: str, path: str = _PATH) -> Any:
        return self._connection.call_blocking(_SERVICE, path, interface, member, signature, args, timeout=_CALL_TIMEOUT)

    def _note(self, _connection: Any, message: Any) -> int:
        """Keep the result of each job that has ended. Anybody may send such a signal: systemd's own are heard."""
        is_systemds = message.get_type() == _SIGNAL and message.get_sender() == self._owner
        if is_systemds and message.get_member() == "JobRemoved" and message.get_signature() == "uoss":
            _number, job, _unit, result = message.get_args_list()
            self._results[str(job)] = str(result)
        return _NOT_YET_HANDLED


@contextmanager
def _systemd(unit: str) -> Iterator[_Systemd]:
    """Reach systemd, and say in words what it answers where it refuses.

    Raises:
        UnitError: It cannot be reached, or it refuses.
    """
    try:
        import dbus
    except ImportError:
        raise UnitError(_("{unit} cannot be reached: Python has no D-Bus here (python3-dbus)", unit=unit)) from None
    try:
        connection = own_connection()
    except dbus.DBusException as error:
        if meaning_of(str(error.get_dbus_name())) in (BusRefusal.NOT_ALLOWED, BusRefusal.SILENT):
            raise UnitError(
                _("{unit} cannot be reached: the system bus (D-Bus) does not let this user in", unit=unit)
            ) from error
        raise UnitError(_("{unit} cannot be reached: there is no system bus (D-Bus)", unit=unit)) from error
    try:
        systemd = _Systemd(connection)
        try:
            yield systemd
        finally:
            systemd.close()
    except dbus.DBusException as error:
        raise _refused(unit, str(error.get_dbus_name())) from error
    finally:
        connection.close()


def _refused(unit: str, name: str) -> UnitError:
    """Return what an error of D-Bus means, by its name."""
    if name in _NO_UNIT:
        return UnitError(_("this device has no {unit} that can be used", unit=unit))
    match meaning_of(name):
        case BusRefusal.NOT_ALLOWED:
            return UnitError(_("this device does not let OTP-Pi start or stop {unit} (polkit)", unit=unit))
        case BusRefusal.NOT_THERE:
            return UnitError(_("{unit} cannot be reached: systemd does not run on this device", unit=unit))
        case BusRefusal.SILENT:
            return UnitError(_("systemd has not answered: it is not known what became of {unit}", unit=unit))
    return UnitError(_("systemd refuses {unit}: {name}", unit=unit, name=name))


def _failed(unit: str, result: str, exit_status: int | None) -> UnitFailed:
    """Return what the result of a job means (org.freedesktop.systemd1(5), JobRemoved)."""
    if result == _TIMED_OUT:
        return UnitFailed(_("{unit} took too long, and was ended", unit=unit), None)
    if exit_status is not None:
        return UnitFailed(
            _("{unit} failed (exit status {status}): its log says why", unit=unit, status=exit_status), exit_status
        )
    return UnitFailed(_("{unit} failed ({result}): its log says why", unit=unit, result=result), None)
