"""The system bus (D-Bus): a connection of one's own to it, and what errors of calls mean, whatever the service.

dbus-python is Debian's `python3-dbus` on a device, and may be missing elsewhere: it is imported when somebody connects.
"""

import os
from enum import Enum, auto
from typing import Any, Final

_DEFAULT_ADDRESS: Final = "unix:path=/run/dbus/system_bus_socket"
_ERROR: Final = "org.freedesktop.DBus.Error."
_SPAWNED: Final = f"{_ERROR}Spawn."
"""What the names of errors begin with where the service could not be started (D-Bus specification, "Activation")."""


class BusRefusal(Enum):
    """What an error of a call means, before the service itself has said anything."""

    NOT_THERE = auto()
    """The service does not run, and cannot be started."""
    NOT_ALLOWED = auto()
    """The bus or polkit does not let this user do it."""
    SILENT = auto()
    """There was no answer: it is not known what became of the call."""
    OTHER = auto()
    """It is the service's own."""


_MEANINGS: Final = {
    f"{_ERROR}{name}": meaning
    for meaning, names in {
        BusRefusal.NOT_THERE: ("ServiceUnknown", "NameHasNoOwner", "UnknownMethod"),
        BusRefusal.NOT_ALLOWED: ("AccessDenied", "AuthFailed", "InteractiveAuthorizationRequired"),
        BusRefusal.SILENT: ("NoReply", "Timeout", "TimedOut", "Disconnected"),
    }.items()
    for name in names
}


def own_connection() -> Any:
    """Connect to the system bus; the calling thread alone may use the connection, and closes it.

    libdbus ends the process with a connection that is shared and lost, so nobody shares one.

    Raises:
        ImportError: There is no dbus-python.
        dbus.DBusException: The bus is not there, or does not let this user in (`meaning_of` its name).
    """
    import dbus.bus

    connection = dbus.bus.BusConnection(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _DEFAULT_ADDRESS)
    connection.set_exit_on_disconnect(False)
    return connection


def meaning_of(error: str) -> BusRefusal:
    """Return what an error means, by its name on the bus."""
    return BusRefusal.NOT_THERE if error.startswith(_SPAWNED) else _MEANINGS.get(error, BusRefusal.OTHER)
