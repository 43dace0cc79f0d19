"""Switching this computer off, or having it start anew, by systemd's logind over D-Bus (org.freedesktop.login1(5)).

Each call has a connection to the system bus of its own.
"""

from typing import Final

from otppi.api.errors import NotDone, NotSupported, OtpPiError
from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi.text import _

_SERVICE: Final = "org.freedesktop.login1"
_PATH: Final = "/org/freedesktop/login1"
_MANAGER: Final = "org.freedesktop.login1.Manager"
_TIMEOUT: Final = 10.0
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
    except ImportError:
        raise NotSupported(_("this device cannot be asked to: Python has no D-Bus here (python3-dbus)")) from None
    try:
        connection = own_connection()
    except dbus.DBusException as error:
        if meaning_of(str(error.get_dbus_name())) is BusRefusal.NOT_ALLOWED:
            raise NotSupported(_("this device cannot be asked to: this user may not use its system bus")) from None
        raise NotSupported(_("this device cannot be asked to: it has no system bus (D-Bus)")) from None
    try:
        # Nobody is there to be asked by polkit for a password.
        connection.call_blocking(_SERVICE, _PATH, _MANAGER, member, "b", (False,), timeout=_TIMEOUT)
    except dbus.DBusException as error:
        raise _refused(str(error.get_dbus_name())) from None
    finally:
        connection.close()


def _refused(name: str) -> OtpPiError:
    """Return what an error of D-Bus means, by its name."""
    match meaning_of(name):
        case BusRefusal.NOT_THERE:
            return NotSupported(_("this device cannot be asked to: systemd-logind does not run on it"))
        case BusRefusal.NOT_ALLOWED:
            return NotSupported(_("this device does not let OTP-Pi do that (polkit)"))
        case BusRefusal.SILENT:
            return NotDone(_("systemd-logind has not answered: see whether the device goes off"))
    if name == _IN_PROGRESS:
        return NotDone(_("the device goes off already"))
    return NotDone(_("systemd-logind refuses: {name}", name=name))
