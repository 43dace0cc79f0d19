"""What is known of one hot-plugged device, and where the devices are listed."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from otppi.api.devices import SerialDevice, UsbMatch
from otppi.api.errors import ModemLost, Trouble
from otppi.kit.at.examine import Examined
from otppi.kit.at.usb import UsbDevice
from otppi.text import _, joined, labelled


class DeviceSource(Protocol):
    """Tells which devices are there; one thread calls `wait`, any the others."""

    def ports(self) -> Sequence[SerialDevice]:
        """List the serial ports of hot-plugged devices."""

    def storage(self) -> Sequence[UsbDevice]:
        """List the USB devices that show nothing but mass storage."""

    def wait(self, timeout: float | None) -> bool:
        """Wait for a change, at most so many seconds; False where there was none, or after `stop`."""

    def stop(self) -> None:
        """End `wait`, now and from now on."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A modem of the settings: its IMEI and its port, as far as they are set, and how it is opened at once."""

    imei: str
    hint: str
    wake: Callable[[], None]


@dataclass(slots=True, eq=False)
class Device:
    """One hot-plugged device, and what is known of it.

    Attributes:
        ports: Its serial ports.
        owner: The modem that has it.
        port: Where it takes AT commands, as far as known.
        imei: Of the modem in it, as far as known.
        identified: Whether its owner has read who it is.
        failed: The modems that had it and could not read who it is.
        asking: Whether it is being asked who it is.
        ask_at: When it is to be asked, if it has no owner (monotonic).
        asked: How often it was asked without an answer.
        examined: What it answered.
    """

    ports: tuple[SerialDevice, ...]
    owner: str = ""
    port: str = ""
    imei: str = ""
    identified: bool = False
    failed: set[str] = field(default_factory=set)
    asking: bool = False
    ask_at: float = 0.0
    asked: int = 0
    examined: Examined | None = None

    def named(self, name: str) -> SerialDevice | None:
        """Find a port by its path, or by any link to it."""
        if not name:
            return None  # not a port without by_path
        real = _real(name)
        found = (port for port in self.ports if name in (port.path, port.by_path) or _real(port.path) == real)
        return next(found, None)

    def __str__(self) -> str:
        return f"{self.ports[0].product or 'a device'} ({', '.join(port.path for port in self.ports)})"

    @property
    def key(self) -> tuple[str, int]:
        """What is another one when it is plugged in anew."""
        return self.ports[0].device, self.ports[0].number


def _real(path: str) -> str:
    """Follow links; one that goes while it is followed leads nowhere (Python 3.11 raises then)."""
    try:
        return os.path.realpath(path)
    except OSError:
        return path


def in_order(device: Device, matches: Iterable[UsbMatch]) -> tuple[list[SerialDevice], int]:
    """Put a device's ports first that a plugin knows to take AT commands, by its USB ids; tell how many these are."""
    ports = device.ports
    ids = (ports[0].vendor_id, ports[0].product_id)
    fitting = [match for match in matches if match.vendor_id == ids[0] and match.product_id in ("", ids[1])]
    best = max(fitting, key=lambda match: bool(match.product_id), default=UsbMatch(""))
    good = [port for interface in best.at_interfaces for port in ports if port.interface == interface]
    return good + [port for port in ports if port not in good], len(good)


def absent(modem: str, imei: str, hint: str, looked_at: Iterable[Device]) -> ModemLost:
    """Return why a modem has no port now."""
    reasons: list[str] = []
    silent = False
    for device in dict.fromkeys(looked_at):
        silent = silent or modem in device.failed
        where = hint if device.named(hint) else device.port or device.ports[0].path
        if device.owner:
            reasons.append(_("{where} is used by modem {owner}", where=where, owner=device.owner))
        elif device.asking:
            reasons.append(_("{where} is being asked who it is", where=where))
        elif device.imei:
            reasons.append(_("{where} has the modem with the IMEI {imei}", where=where, imei=device.imei))
    what = (
        _("no modem with the IMEI {imei} is here", imei=imei)
        if imei
        else _("{hint} cannot be used", hint=hint or _("its port"))
    )
    why = labelled(what, joined(", ", reasons)) if reasons else what
    return ModemLost(why, Trouble.SILENT if silent else Trouble.ABSENT)
