"""Switching this computer off, or having it start anew, by systemd's logind over D-Bus (org.freedesktop.login1(5)).

dbus-python is Debian's `python3-dbus` on a device, and may be missing elsewhere; it is loaded when somebody asks. Each
call has a connection to the system bus of its own, used by one thread and closed: libdbus ends the process with one
that is shared and lost.
"""

import os
from typing import Final

from otppi.api.errors import NotDone, NotSupported, OtpPiError
from otppi.text import _

_DEFAULT_ADDRESS: Final = "unix:path=/run/dbus/system_bus_socket"
_SERVICE: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_MANAGER: Final = "org.freedesktop.login1.Manager"
_TIMEOUT: Final = 10.0
_DBUS: Final = "org.freedesktop.DBus.Error."
_NOT_THERE: Final = frozenset((f"{_DBUS}ServiceUnknown", f"{_DBUS}NameHasNoOwner", f"{_DBUS}UnknownMethod"))
_SPAWNED: Final = f"{_DBUS}Spawn."
"""What the names of errors begin with where the service could not be started (D-Bus specification, "Activation")."""
_NOT_ALLOWED: Final = frozenset((f"{_DBUS}AccessDenied", f"{_DBUS}InteractiveAuthorizationRequired"))
_SILENT: Final = frozenset((f"{_DBUS}NoReply", f"{_DBUS}Timeout", f"{_DBUS}Disconnected"))
_IN_PROGRESS: Final = f"{_SERVICE}.OperationInProgress"


def reboot() -> None:
    """Have this computer end all that runs, and start anew.

    Raises:
        NotSupported: It cannot be asked to, or does not let this user do it.
        NotDone: It refuses now, or did not answer.
    """
    _call("Reboot")


def power_off() -> None:
    """Have this computer end all that runs, and switch itself off.

    Raises:
        NotSupported: It cannot be asked to, or does not let this user do it.
        NotDone: It refuses now, or did not answer.
    """
    _call("PowerOff")


def _call(member: str) -> None:
    try:
        import dbus
        import dbus.bus
    except ImportError:
        raise NotSupported(_("this device cannot be asked to: Python has no D-Bus here (python3-dbus)")) from None
    try:
        connection = dbus.bus.BusConnection(os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or _DEFAULT_ADDRESS)
    except dbus.DBusException as error:
        if error.get_dbus_name() in _NOT_ALLOWED:
            raise NotSupported(_("this device cannot be asked to: this user may not use its system bus")) from None
        raise NotSupported(_("this device cannot be asked to: it has no system bus (D-Bus)")) from None
    try:
        connection.set_exit_on_disconnect(False)
        # Nobody is there to be asked by polkit for a password.
        connection.call_blocking(_SERVICE, _PATH, _MANAGER, member, "b", (False,), timeout=_TIMEOUT)
    except dbus.DBusException as error:
        raise _refused(str(error.get_dbus_name())) from None
    finally:
        connection.close()


def _refused(name: str) -> OtpPiError:
    """Return what an error of D-Bus means, by its name."""
    if name in _NOT_THERE or name.startswith(_SPAWNED):
        return NotSupported(_("this device cannot be asked to: systemd-logind does not run on it"))
    if name in _NOT_ALLOWED:
        return NotSupported(_("this device does not let OTP-Pi do that (polkit)"))
    if name in _SILENT:
        return NotDone(_("systemd-logind has not answered: see whether the device goes off"))
    if name == _IN_PROGRESS:
        return NotDone(_("the device goes off already"))
    return NotDone(_("systemd-logind refuses: {name}", name=name))
