"""NetworkManager over D-Bus (its D-Bus API reference, version 1.42 and later): devices, profiles, checkpoints.

Each use has a connection of its own to the system bus (`kit/system_bus.py`), which the thread that made it uses alone,
and which is closed in the end.
"""

import math
import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from otppi.api.trials import CannotWrite
from otppi.kit.net.wake import Wake
from otppi.kit.system_bus import BusRefusal, meaning_of, own_connection
from otppi.text import _

Profile = Mapping[str, Any]
"""The settings of a connection profile, as D-Bus has them: `a{sa{sv}}`."""

_SERVICE: Final = "org.freedesktop.NetworkManager"
_ROOT: Final = "/org/freedesktop/NetworkManager"
_SETTINGS: Final = f"{_ROOT}/Settings"
_PROFILE: Final = f"{_SERVICE}.Settings.Connection"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_TIMEOUT: Final = 20.0
_SIGNAL: Final = 4
_NOT_YET_HANDLED: Final = 1
_DBUS: Final = "org.freedesktop.DBus.Error."
_NOT_ALLOWED: Final = frozenset(f"{_SERVICE}.{name}" for name in ("PermissionDenied", "Settings.PermissionDenied"))
_GONE: Final = frozenset(f"{_DBUS}{name}" for name in ("UnknownObject", "UnknownMethod", "UnknownInterface"))

_UNMANAGED, _UNAVAILABLE = 10, 20
"""NMDeviceState."""
_SETTLED: Final = (70, 100)
"""Of those: with an address that is being asked for, or with one."""
_ACTIVATED, _DEACTIVATED = 2, 4
"""NMActiveConnectionState."""
_GONE_FOR_GOOD: Final = 2.0
"""Seconds."""
_TO_DISK, _IN_MEMORY, _BLOCK_AUTOCONNECT = 0x1, 0x2, 0x20
"""NMSettingsUpdate2Flags, and NMSettingsAddConnection2Flags."""
_DELETE_NEW: Final = 0x2
"""NM_CHECKPOINT_CREATE_FLAG_DELETE_NEW_CONNECTIONS."""


class NetworkManager:
    """NetworkManager, over a connection that the thread which made it uses alone. All of it raises CannotWrite.

    Args:
        connection: A private one to the system bus.
    """

    def __init__(self, connection: Any) -> None:
        from otppi.kit.dbus_dispatch import BusDispatcher

        self._connection = connection
        self._dispatcher = BusDispatcher(connection)
        self._heard = False
        self._owner: str | None = None
        self._filter = self._note  # one object: libdbus aborts the process where another one is taken away
        connection.add_message_filter(self._filter)

    def close(self) -> None:
        """Hear no more signals."""
        self._connection.remove_message_filter(self._filter)

    # -- devices ----------------------------------------------------------------------------------------------------

    def device(self, interface: str) -> str:
        """Return the path of the device with an interface of a name, such as `eth0`."""
        try:
            return str(self._call(_ROOT, _SERVICE, "GetDeviceByIpIface", "s", interface))
        except _Refused as refused:
            if refused.name == f"{_SERVICE}.UnknownDevice":
                raise CannotWrite(_("this device has no {interface}", interface=interface)) from None
            raise

    def check_ready(self, device: str, interface: str, unavailable: str) -> None:
        """Look whether a profile can be used on a device now.

        Args:
            device: Its path.
            interface: Its name, for people.
            unavailable: What is said where it cannot, such as that no cable is plugged in.
        """
        state = int(self._get(device, "Device", "State"))
        if state <= _UNMANAGED:
            raise CannotWrite(_("NetworkManager does not look after {interface}", interface=interface))
        if state == _UNAVAILABLE:
            raise CannotWrite(unavailable)

    def active(self, device: str) -> str:
        """Return the path of what is active on a device; it is another one after each activation."""
        return str(self._get(device, "Device", "ActiveConnection"))

    def wait_for_another(self, device: str, before: str, wait: float) -> None:
        """Wait until a device uses something else than before, or asks for an address by DHCP; it may go on after that.

        Args:
            device: Its path.
            before: What was active (`active`).
            wait: The longest wait, in seconds.
        """
        self._hear(f"type='signal',sender='{_SERVICE}',path='{device}'")
        deadline = time.monotonic() + wait
        while self.active(device) == before or int(self._get(device, "Device", "State")) not in _SETTLED:
            if not self._wait(deadline - time.monotonic()):
                return

    # -- profiles ---------------------------------------------------------------------------------------------------

    def profile(self, uuid: str) -> str | None:
        """Return the path of a profile; None where there is none."""
        try:
            return str(self._call(_SETTINGS, f"{_SERVICE}.Settings", "GetConnectionByUuid", "s", uuid))
        except _Refused as refused:
            if refused.name == f"{_SERVICE}.Settings.InvalidConnection":
                return None
            raise

    def settings(self, profile: str, secret: str | None = None) -> dict[str, Any]:
        """Return what is in a profile.

        Args:
            profile: Its path.
            secret: The setting of it whose secrets are wanted, too.
        """
        settings: dict[str, Any] = self._call(profile, _PROFILE, "GetSettings", "")
        if secret is not None and secret in settings:
            found = self._call(profile, _PROFILE, "GetSecrets", "s", secret)
            settings[secret].update(found.get(secret, {}))
        return settings

    def try_profile(self, profile: str | None, settings: Profile) -> str:
        """Have a profile hold other settings, in RAM only, and return its path; without one, add it."""
        if profile is None:
            flags = _IN_MEMORY | _BLOCK_AUTOCONNECT
            interface = f"{_SERVICE}.Settings"
            return str(self._call(_SETTINGS, interface, "AddConnection2", "a{sa{sv}}ua{sv}", settings, flags, {})[0])
        self._call(profile, _PROFILE, "Update2", "a{sa{sv}}ua{sv}", settings, _IN_MEMORY, {})
        return profile

    def keep_profile(self, profile: str, settings: Profile) -> None:
        """Have a profile hold settings for good, on the card."""
        self._call(profile, _PROFILE, "Update2", "a{sa{sv}}ua{sv}", settings, _TO_DISK, {})

    def delete_profile(self, profile: str) -> None:
        """Have no such profile any more."""
        self._call(profile, _PROFILE, "Delete", "")

    def activate(self, profile: str, device: str, wait: float) -> None:
        """Use a profile on a device, and wait until it is used.

        Args:
            profile: Its path.
            device: Its path.
            wait: Seconds; what takes longer, such as an address by DHCP, goes on.

        Raises:
            CannotWrite: It cannot be used.
        """
        self._hear(f"type='signal',sender='{_SERVICE}',interface='{_SERVICE}.Connection.Active'")
        active = str(self._call(_ROOT, _SERVICE, "ActivateConnection", "ooo", profile, device, "/"))
        deadline, gone = time.monotonic() + wait, math.inf
        while (state := self._active_state(active)) != _ACTIVATED:
            now = time.monotonic()
            # Where a device leaves one profile for another, the new one is told to be inactive for a moment, too.
            gone = min(gone, now + _GONE_FOR_GOOD) if state >= _DEACTIVATED else math.inf
            if now >= gone:
                raise CannotWrite(_("NetworkManager could not use it: its log says why"))
            if now >= deadline:
                return
            self._wait(min(deadline, gone) - now)

    def _active_state(self, active: str) -> int:
        try:
            return int(self._get(active, "Connection.Active", "State"))
        except _Refused as refused:
            if refused.name in _GONE:
                return _DEACTIVATED
            raise

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def checkpoint(self, device: str, seconds: int) -> str:
        """Have what is in use on a device come back after some seconds, and return the path of that checkpoint."""
        try:
            return str(self._call(_ROOT, _SERVICE, "CheckpointCreate", "aouu", [device], seconds, _DELETE_NEW))
        except _Refused as refused:
            if refused.name == f"{_SERVICE}.InvalidArguments":
                raise CannotWrite(_("another change is on trial: confirm it, or bring back what was before")) from None
            raise

    def has_checkpoint(self, checkpoint: str) -> bool:
        """Whether a checkpoint is still there: not when its time is over, nor when NetworkManager was restarted."""
        return checkpoint in map(str, self._get(_ROOT, "", "Checkpoints"))

    def forget_checkpoint(self, checkpoint: str) -> None:
        """Let what is in use stay."""
        self._call(_ROOT, _SERVICE, "CheckpointDestroy", "o", checkpoint)

    def roll_back(self, checkpoint: str) -> None:
        """Bring back what was in use at a checkpoint."""
        self._call(_ROOT, _SERVICE, "CheckpointRollback", "o", checkpoint)

    # -- NetworkManager itself --------------------------------------------------------------------------------------

    def wait_for_restart(self, until: float, wake: Wake) -> bool:
        """Wait until NetworkManager was started anew; False where that did not happen.

        Args:
            until: By time.monotonic().
            wake: Ends the wait.
        """
        self._hear(f"type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{_SERVICE}'")
        self._owner = str(self._connection.get_name_owner(_SERVICE))
        before = self._owner
        while self._dispatcher.turn():
            if self._owner not in ("", before):
                return True
            left = until - time.monotonic()
            if left <= 0 or not wake.wait(left, {self._connection.get_unix_fd(): select.POLLIN}):
                return False
        raise CannotWrite(_("the system bus (D-Bus) is gone"))

    # -- the bus ----------------------------------------------------------------------------------------------------

    def _hear(self, rule: str) -> None:
        self._connection.add_match_string(rule)

    def _wait(self, seconds: float) -> bool:
        """Wait for a signal; False where none comes in time."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._connection.get_unix_fd(), select.POLLIN)
        while not self._heard:
            if not self._dispatcher.turn():
                raise CannotWrite(_("the system bus (D-Bus) is gone"))
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if not self._heard:
                poll.poll(left * 1000)
        self._heard = False
        return True

    def _note(self, _connection: Any, message: Any) -> int:
        if message.get_type() == _SIGNAL:
            self._heard = True
            if message.get_member() == "NameOwnerChanged" and message.get_sender() == "org.freedesktop.DBus":
                name, _old, new = message.get_args_list()
                self._owner = str(new) if name == _SERVICE else self._owner
        return _NOT_YET_HANDLED

    def _get(self, path: str, interface: str, name: str) -> Any:
        full = f"{_SERVICE}.{interface}" if interface else _SERVICE
        return self._call(path, _PROPERTIES, "Get", "ss", full, name)

    def _call(self, path: str, interface: str, member: str, signature: str, *args: Any) -> Any:
        import dbus

        try:
            return self._connection.call_blocking(_SERVICE, path, interface, member, signature, args, timeout=_TIMEOUT)
        except dbus.DBusException as error:
            raise _Refused(str(error.get_dbus_name()), member) from error


@contextmanager
def network_manager() -> Iterator[NetworkManager]:
    """Reach NetworkManager.

    Raises:
        CannotWrite: It cannot be reached.
    """
    try:
        import dbus
    except ImportError:
        raise CannotWrite(_("NetworkManager cannot be reached: Python has no D-Bus here (python3-dbus)")) from None
    try:
        connection = own_connection()
    except dbus.DBusException as error:
        raise CannotWrite(_("NetworkManager cannot be reached: there is no system bus (D-Bus)")) from error
    try:
        manager = NetworkManager(connection)
        try:
            yield manager
        finally:
            manager.close()
    except dbus.DBusException as error:  # of the bus itself, such as for the owner of a name
        raise _Refused(str(error.get_dbus_name()), "") from error
    finally:
        connection.close()


class _Refused(CannotWrite):
    """What NetworkManager, or the bus, answers where it refuses.

    Attributes:
        name: Of the error.
    """

    def __init__(self, name: str, member: str) -> None:
        super().__init__(_meaning(name, member))
        self.name = name


def _meaning(name: str, member: str) -> str:
    meaning = meaning_of(name)
    if name in _NOT_ALLOWED or meaning is BusRefusal.NOT_ALLOWED:
        return _("this device does not let OTP-Pi change its network (polkit)")
    if meaning is BusRefusal.NOT_THERE and name not in _GONE:  # it may be a profile that is gone, and no service
        return _("NetworkManager does not run on this device")
    if meaning is BusRefusal.SILENT:
        return _("NetworkManager has not answered: it is not known what became of it")
    return _("NetworkManager refuses {member}: {name}", member=member, name=name)
