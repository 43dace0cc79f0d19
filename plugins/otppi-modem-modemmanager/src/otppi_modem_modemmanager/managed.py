"""One modem as ModemManager shows it: where it is, its properties as they change, and its methods."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from otppi.api.errors import ModemBlocked, ModemLost, Trouble
from otppi.api.modem import ModemIdentity
from otppi.kit.at.start import REGISTRATIONS
from otppi_modem_modemmanager.bus import Bus, BusError, Pending, Signal
from otppi_modem_modemmanager.names import (
    DBUS,
    MODEM,
    OBJECT_MANAGER,
    PROPERTIES,
    REGISTERED,
    ROOT,
    SERVICE,
    SIM,
    THREEGPP,
    ModemState,
)
from otppi_modem_modemmanager.text import _

Objects = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What GetManagedObjects gives: properties by interface by path."""

_IMEI_DIGITS = 14
"""What follows is a check digit, or a software version, or nothing (3GPP TS 23.003 6.2)."""
_NO_SUCH_OBJECT = frozenset(f"{DBUS}.Error.{name}" for name in ("UnknownMethod", "UnknownObject", "UnknownInterface"))
_UNAUTHORIZED = frozenset((f"{SERVICE}.Error.Core.Unauthorized", f"{DBUS}.Error.AccessDenied"))
NOT_ALLOWED = _("ModemManager does not let this user do that (polkit; see docs/modemmanager.md)")


class ManagedModem:
    """A modem at its object path, on the bus of its owner; it is of no use any more once `lost` says why."""

    def __init__(self, bus: Bus, settings: Mapping[str, Any]) -> None:
        self.bus = bus
        self.lost: str | None = None
        self._settings = settings
        self.path = ""
        self._properties: dict[str, dict[str, Any]] = {}

    def find(self) -> None:
        """Find the modem, and read its properties.

        Raises:
            ModemLost: ModemManager does not run, or does not have it now.
            ModemBlocked: It has several, and none is named.
        """
        self.bus.match(f"type='signal',sender='{SERVICE}'")
        self.bus.match(f"type='signal',sender='{DBUS}',member='NameOwnerChanged',arg0='{SERVICE}'")
        try:
            (objects,) = self.bus.call(SERVICE, ROOT, OBJECT_MANAGER, "GetManagedObjects", "")
        except BusError as error:
            raise translated(error) from error
        path = find_modem(objects, self._settings)
        self.path = str(path)
        self._properties = {str(interface): dict(values) for interface, values in objects[path].items()}

    # -- properties -------------------------------------------------------------------------------------------------

    def get(self, interface: str, name: str, default: Any) -> Any:
        """Return a property as it is known now; the default where there is none."""
        return self._properties.get(interface, {}).get(name, default)

    def has(self, interface: str) -> bool:
        """Whether the modem has an interface now."""
        return interface in self._properties

    @property
    def state(self) -> int:
        """MMModemState."""
        return int(self.get(MODEM, "State", ModemState.UNKNOWN))

    @property
    def maker(self) -> str:
        """Its manufacturer."""
        return self._word(MODEM, "Manufacturer")

    @property
    def registration(self) -> int | None:
        """MMModem3gppRegistrationState; None where the modem does not tell."""
        value = self.get(THREEGPP, "RegistrationState", None)
        return None if value is None else int(value)

    def check(self) -> None:
        """See that messages can be sent.

        Raises:
            ModemLost: The modem is gone, disabled, or not registered with any network.
        """
        if self.lost is not None:
            raise ModemLost(self.lost)
        if self.state < ModemState.ENABLED:
            raise ModemLost(_("the modem is not enabled"), Trouble.FAULTY)
        registration = self.registration
        if registration not in REGISTERED if registration is not None else self.state < ModemState.REGISTERED:
            known = REGISTRATIONS.get(str(registration)) or _("unknown")
            raise ModemLost(
                _("no network: {registration}", registration=known),
                Trouble.NO_NETWORK,
            )

    def heard(self, signal: Signal) -> None:
        """Take note of a signal."""
        match signal.member, signal.args:
            case "NameOwnerChanged", [_name, _old, new] if not new:
                self.lost = _("ModemManager has ended")
            case "InterfacesRemoved", [self.path, removed]:
                if MODEM in removed:
                    self.lost = _("ModemManager does not have the modem any more")
                for interface in removed:
                    self._properties.pop(str(interface), None)
            case "InterfacesAdded", [self.path, added]:
                self._properties |= {str(interface): dict(values) for interface, values in added.items()}
            case "PropertiesChanged", [interface, values, *_] if signal.path == self.path:
                self._properties.setdefault(str(interface), {}).update(values)

    # -- methods ----------------------------------------------------------------------------------------------------

    def start(self, interface: str, member: str, signature: str = "", *args: Any, path: str = "") -> Pending:
        """Call a method of the modem, or of another of ModemManager's objects, and do not wait."""
        return self.bus.start(SERVICE, path or self.path, interface, member, signature, *args)

    def call(self, interface: str, member: str, signature: str = "", *args: Any, timeout: float = 10.0) -> list[Any]:
        """Call a method of the modem.

        Raises:
            BusError: It refused.
            ModemLost: It is not there any more, or does not answer.
            ModemBlocked: This user may not do that.
        """
        try:
            return self.bus.call(SERVICE, self.path, interface, member, signature, *args, timeout=timeout)
        except BusError as error:
            raise translated(error) from error

    def call_sim(self, member: str, signature: str, *args: Any) -> list[Any]:
        """Call a method of the SIM; raises as `call` does."""
        try:
            return self.bus.call(SERVICE, self._sim_path(), SIM, member, signature, *args, timeout=30.0)
        except BusError as error:
            raise translated(error) from error

    def properties_of(self, path: str, interface: str) -> dict[str, Any]:
        """Read the properties of another object.

        Raises:
            BusError: It is not there any more.
            ModemLost: ModemManager is gone, or does not answer.
        """
        (values,) = self.bus.call(SERVICE, path, PROPERTIES, "GetAll", "s", interface)
        return dict(values)

    def refresh(self) -> None:
        """Read anew what the signals of its change may not have told yet."""
        for interface in (MODEM, THREEGPP):
            if self.has(interface):
                try:
                    self._properties[interface] = self.properties_of(self.path, interface)
                except BusError as error:
                    raise translated(error) from error

    def identity(self) -> ModemIdentity:
        """Read who the modem and its SIM are."""
        try:
            sim = self.properties_of(self._sim_path(), SIM)
        except (BusError, ModemBlocked):
            sim = {}
        return self.seen(
            ModemIdentity(
                manufacturer=self.maker,
                model=self._word(MODEM, "Model"),
                revision=self._word(MODEM, "Revision"),
                imei=self._word(MODEM, "EquipmentIdentifier"),
                imsi=str(sim.get("Imsi", "")),
                msisdn=next((str(number) for number in self.get(MODEM, "OwnNumbers", ()) if number), ""),
                iccid=str(sim.get("SimIdentifier", "")),
                smsc=self._settings["sms_center"],
            )
        )

    def seen(self, identity: ModemIdentity) -> ModemIdentity:
        """Bring up to date what changes: registration, operator and signal."""
        return replace(
            identity,
            operator=self._word(THREEGPP, "OperatorName"),
            registration=REGISTRATIONS.get(str(self.registration), ""),
            signal_dbm=_dbm(self.get(MODEM, "SignalQuality", (0, False))),
        )

    def _word(self, interface: str, name: str) -> str:
        return str(self.get(interface, name, ""))[:64]

    def _sim_path(self) -> str:
        path = str(self.get(MODEM, "Sim", "/"))
        if path == "/":
            raise ModemBlocked(_("there is no SIM card in the modem"))
        return path


def find_modem(objects: Objects, settings: Mapping[str, Any]) -> str:
    """Choose a modem by `imei`, else by `port`, else the only one.

    Raises:
        ModemLost: It is not there.
        ModemBlocked: There are several, and none is named.
    """
    modems = {path: values[MODEM] for path, values in objects.items() if MODEM in values}
    imei, port = settings["imei"], settings["port"]
    if imei:
        named = [path for path, modem in modems.items() if _imei_of(modem) == imei[:_IMEI_DIGITS]]
        # One that is locked may not have told its IMEI yet.
        named = named or [path for path, modem in modems.items() if not _imei_of(modem) and _has_port(modem, port)]
    else:
        named = [path for path, modem in modems.items() if not port or _has_port(modem, port)]
    if len(named) > 1:
        raise ModemBlocked(_("ModemManager has {count} modems that could be meant: set its IMEI", count=len(named)))
    if not named:
        wanted = _(" with IMEI {imei}", imei=imei) if imei else _(" at {port}", port=port) if port else ""
        raise ModemLost(_("ModemManager has no modem{wanted}", wanted=wanted))
    return named[0]


def _imei_of(modem: Mapping[str, Any]) -> str:
    return str(modem.get("EquipmentIdentifier", ""))[:_IMEI_DIGITS]


def _has_port(modem: Mapping[str, Any], port: str) -> bool:
    """Whether a modem has a port, which may be a link; ModemManager names them without `/dev/`."""
    names = {str(modem.get("PrimaryPort", "")), *(str(name) for name, _kind in modem.get("Ports", ()))}
    return bool(port) and os.path.basename(os.path.realpath(port)) in names  # noqa: PTH119 - as it is written


def _dbm(quality: tuple[int, bool]) -> int | None:
    """Turn back what ModemManager makes of RSSI: 0 to 100 % are -113 to -51 dBm; None where it is not recent."""
    percent, recent = quality
    return -113 + round(62 * int(percent) / 100) if recent else None


def translated(error: BusError) -> Exception:
    """Tell the errors that are not about what was asked for: the modem is not there, or not this user's."""
    if error.name in _NO_SUCH_OBJECT:
        return ModemLost(_("ModemManager does not have the modem any more"))
    if error.name in _UNAUTHORIZED:
        return ModemBlocked(NOT_ALLOWED)
    return error
