"""Calls of systemd's services over D-Bus, and in words what they answer where they refuse.

Each `Bus` has a connection of its own (`otppi.kit.system_bus`), which the thread that opened it uses alone, and closes.
"""

import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from otppi.api.errors import NotDone, NotSupported, OtpPiError
from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi_clock.text import _

_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_TIMEOUT: Final = 15.0
"""Seconds that an answer may take: timedated is started by the call, which takes its time on a busy device."""


class RefusedByService(NotDone):
    """A service answered with an error of its own.

    Attributes:
        name: Of the error.
    """

    def __init__(self, sentence: str, name: str) -> None:
        super().__init__(sentence)
        self.name = name


class Bus:
    """The system bus, for the thread that opened it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def has(self, service: str) -> bool:
        """Return whether a service runs; asking for it does not start it."""
        return bool(self._connection.name_has_owner(service))

    def call(self, service: str, interface: str, member: str, signature: str, *args: object) -> Any:
        """Call a method of a service's one object.

        Raises:
            NotSupported: The service is not there, or does not let this user do it.
            RefusedByService: It refuses for a reason of its own.
            NotDone: It has not answered.
        """
        import dbus

        connection, path = self._connection, _path(service)
        try:
            return connection.call_blocking(service, path, interface, member, signature, args, timeout=_TIMEOUT)
        except dbus.DBusException as error:
            raise _refused(str(error.get_dbus_name())) from None

    def properties(self, service: str, interface: str) -> Mapping[str, Any]:
        """Return all properties of a service's object; raise what `call` does."""
        told: Mapping[str, Any] = self.call(service, _PROPERTIES, "GetAll", "s", interface)
        return told

    def listen(self, service: str) -> None:
        """Hear the signals of a service from now on, so that `wait` ends with one."""
        self._connection.add_match_string(f"type='signal',sender='{service}'")

    def wait(self, seconds: float) -> None:
        """Wait until something comes, for so long at most: what came while a call waited has been heard already."""
        poll = select.poll()
        poll.register(self._connection.get_unix_fd(), select.POLLIN)
        poll.poll(seconds * 1000)


@contextmanager
def opened() -> Iterator[Bus]:
    """Reach the system bus.

    Raises:
        NotSupported: It is not there, or does not let this user in.
        NotDone: It is gone meanwhile.
    """
    try:
        import dbus
    except ImportError:
        raise NotSupported(_("the clock cannot be reached: Python has no D-Bus here (python3-dbus)")) from None
    try:
        connection = own_connection()
    except dbus.DBusException as error:
        if meaning_of(str(error.get_dbus_name())) is BusRefusal.NOT_ALLOWED:
            raise NotSupported(_("the clock cannot be reached: this user may not use the system bus")) from None
        raise NotSupported(_("the clock cannot be reached: this device has no system bus (D-Bus)")) from None
    try:
        yield Bus(connection)
    except dbus.DBusException as error:
        raise _refused(str(error.get_dbus_name())) from None
    finally:
        connection.close()


def _path(service: str) -> str:
    """Return where a service of systemd has its object: `/org/freedesktop/timedate1` of `org.freedesktop.timedate1`."""
    return "/" + service.replace(".", "/")


def _refused(name: str) -> OtpPiError:
    """Return what an error of D-Bus means, by its name."""
    match meaning_of(name):
        case BusRefusal.NOT_THERE:
            return NotSupported(_("the clock cannot be reached: systemd's service for it does not run on this device"))
        case BusRefusal.NOT_ALLOWED:
            return NotSupported(_("this device does not let OTP-Pi set the clock (polkit)"))
        case BusRefusal.SILENT:
            return NotDone(_("systemd has not answered: look whether the clock was set"))
    return RefusedByService(_("systemd refuses to set the clock: {name}", name=name), name)
