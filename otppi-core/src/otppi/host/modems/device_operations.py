"""The operations on hot-plugged devices: see who each is, and take a new modem into the settings."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from otppi.api.errors import InvalidSettings, NotSupported
from otppi.api.modem import ModemIdentity, ModemType
from otppi.api.operations import Operation, Role
from otppi.api.settings import boolean, text
from otppi.host.modems.device import Device
from otppi.host.modems.devices import DeviceWatch
from otppi.host.modems.operations import workers_of
from otppi.host.modems.settings import MODEMS
from otppi.host.modems.types import best_type
from otppi.host.runtime.plugins import Plugins
from otppi.host.runtime.registry import SETTINGS, HostCall
from otppi.host.settings.changes import SettingsChanges
from otppi.host.settings.config import Config
from otppi.kit.at.identity import same_imei
from otppi.kit.at.usb import UsbDevice
from otppi.text import _, joined
from otppi.wire.errors import FieldError

_FALLBACK = "at"
# Makers whose sticks begin as a CD-ROM with drivers, where no plugin names them (usb_modeswitch's table).
_CD_ROM_VENDORS = frozenset({"0af0", "1199", "12d1", "16d8", "19d2", "1bbb", "1c9e", "2001"})
_SHOWN = ("manufacturer", "model", "imei", "imsi", "iccid", "operator", "signal_dbm")


def _devices(call: HostCall) -> list[dict[str, Any]]:
    """List the hot-plugged devices that are a modem, or may be one.

    `state` is used (by the modem in `modem`, which may be waiting for it), new, asking, held, silent or cd-rom.

    Raises:
        NotSupported: Nobody tells which devices are there.
    """
    watch = call.part(DeviceWatch)
    if not watch.watching:
        raise NotSupported(_("devices are not watched: no udev runs here; otppi modem probe asks serial ports"))
    vendors = {match.vendor_id for one in _types(call).values() for match in one.usb} | _CD_ROM_VENDORS
    rows = [_row(call, device) for device in watch.devices()]
    rows += [_cd_rom(one) for one in watch.storage() if one.vendor_id in vendors]
    return sorted(rows, key=lambda row: str(row["port"]))


def _adopt(call: HostCall, device: str, name: str, default: bool) -> dict[str, Any]:
    """Make a new modem, which is named by its IMEI or a port of it, one of the settings; return its settings.

    Raises:
        InvalidSettings: There is no such new modem, or the name is taken.
    """
    row = next((one for one in _devices(call) if device in (one["imei"], one["by_path"], *one["ports"])), None)
    modems = [dict(modem) for modem in call.part(Config).many(MODEMS)]
    problems = [FieldError("device", reason) for reason in _unfit(row, modems)]
    if any(modem["name"] == name for modem in modems):
        problems.append(FieldError("name", _("is used already")))
    if problems or row is None:
        raise InvalidSettings(problems)
    port = row["by_path"] or row["port"]
    adopted = {"name": name, "type": row["type"], "port": port, "imei": row["imei"], "default_modem": default}
    call.part(SettingsChanges).add_item(MODEMS.key, adopted, call.revision)
    return adopted


def _types(call: HostCall) -> Mapping[str, ModemType]:
    return call.part(Plugins).modem_types


def _row(call: HostCall, device: Device) -> dict[str, Any]:
    watch = call.part(DeviceWatch)
    examined, owner = device.examined, watch.modem_of(device)
    worker = next((one for one in workers_of(call) if one.name == owner), None)
    identity = worker.modem.identity() if worker and device.owner else examined and examined.identity
    port = device.named(device.port) or device.ports[0]
    row = {
        "state": _state(device, owner),
        "modem": owner,
        "type": _type_of(_types(call), device, identity or ModemIdentity()),
        "port": port.path,
        "ports": [one.path for one in device.ports],
        "by_path": port.by_path,
        "vendor_id": port.vendor_id,
        "product_id": port.product_id,
        "product": port.product,
        **{key: value for key, value in asdict(identity or ModemIdentity()).items() if key in _SHOWN},
        "sim": examined.sim if examined else "",
        "held_by": list(examined.held_by) if examined else [],
    }
    row["imei"] = row["imei"] or device.imei
    return row | {"detail": _advice(row, device, watch, call.part(Config))}


def _type_of(types: Mapping[str, ModemType], device: Device, identity: ModemIdentity) -> str | None:
    """Choose the type by the USB ids, the exact ones first; else by what the modem says of itself."""
    port = device.ports[0]
    for product in (port.product_id, ""):
        for one in types.values():
            if any((match.vendor_id, match.product_id) == (port.vendor_id, product) for match in one.usb):
                return one.key
    fallback = types.get(_FALLBACK)
    return best_type(types.values(), fallback, identity).key if fallback else None


def _state(device: Device, owner: str) -> str:
    examined = device.examined
    if owner:
        return "used"
    if device.asking or examined is None:
        return "asking"
    if examined.port:
        return "new"
    return "held" if examined.held_by else "silent"


def _advice(row: Mapping[str, Any], device: Device, watch: DeviceWatch, config: Config) -> str:
    """Return what a person may want to know or do."""
    imei, owner = row["imei"], row["modem"]
    said: list[str] = []
    if watch.is_cloned(imei):
        said.append(_("another device has the same IMEI: only their sockets tell them apart"))
    if row["state"] == "new":
        said.append(f"otppi modem adopt {imei or row['port']} --name NAME")
    elif row["state"] == "used":
        values = next((one for one in config.many(MODEMS) if one["name"] == owner), None)
        if values is not None and imei and not values["imei"]:
            said.append(
                _("to find it in any socket: otppi settings set modems.{owner}.imei {imei}", owner=owner, imei=imei)
            )
    elif device.examined:
        said.append(device.examined.problem)
    return joined("; ", said)


def _unfit(row: Mapping[str, Any] | None, modems: list[dict[str, Any]]) -> list[str]:
    """Return why a device cannot become a modem of the settings."""
    if row is None:
        return [_("there is none with this IMEI or port (otppi modem discover lists them)")]
    if row["state"] == "used":
        return [_("is modem {modem} already", modem=row["modem"])]
    if row["state"] != "new" or row["type"] is None:
        return [_("is {state}: {detail}", state=row["state"], detail=row["detail"] or _("no plugin drives it"))]
    same = next((one["name"] for one in modems if same_imei(row["imei"], one["imei"]) and not one["active"]), None)
    return [_("is modem {same} already, which is not active", same=same)] if same else []


def _cd_rom(device: UsbDevice) -> dict[str, Any]:
    unknown = dict.fromkeys(("type", "manufacturer", "model", "imei", "imsi", "iccid", "operator", "signal_dbm"))
    return unknown | {
        "state": "cd-rom",
        "modem": "",
        "port": "",
        "ports": [],
        "by_path": "",
        "vendor_id": device.vendor_id,
        "product_id": device.product_id,
        "product": device.product,
        "sim": "",
        "held_by": [],
        "detail": _(
            "it is in CD-ROM mode, and becomes a modem by usb_modeswitch: install it and plug the stick in again"
        ),
    }


OPERATIONS = (
    Operation(
        name="devices",
        title=_("Devices"),
        help=_("List what is plugged in: modems in use, new ones, and what keeps others from being used."),
        handler=_devices,
        role=Role.VIEWER,
        reads_only=True,
        command="modem discover",
        examples=("", "--json"),
    ),
    Operation(
        name="device_adopt",
        title=_("Take a modem into use"),
        help=_("Take a new modem into use. It is found by its IMEI from then on, in whatever socket it is."),
        handler=_adopt,
        parameters=(
            text("device", _("Device"), _("the modem's IMEI, or one of its ports"), required=True),
            text("name", _("Name"), _("what the modem is called from now on"), required=True),
            boolean("default", _("Default modem"), _("it sends to receivers that no prefix names"), False),
        ),
        changes=SETTINGS,
        subject="name",
        command="modem adopt",
        positional=("device",),
        examples=("350000000000000 --name m1", "/dev/ttyUSB2 --name m1 --default"),
    ),
)
