"""What sysfs tells of USB: the ports of serial devices, sticks in CD-ROM mode, and their power."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from otppi.api.devices import SerialDevice
from otppi.api.errors import NotSupported
from otppi.text import _, joined, labelled

_SYSFS = Path("/sys")
_DEV = Path("/dev")
_MASS_STORAGE = "08"  # USB-IF's defined class codes
_REASONS = {
    errno.ENOENT: _("the kernel offers no such switch here"),
    errno.EACCES: _("this user may not write it (docs/hot-plug.md has the udev rule)"),
    errno.EPERM: _("this user may not write it (docs/hot-plug.md has the udev rule)"),
    errno.EROFS: _("sysfs is read-only here, as in a container"),
    errno.EOPNOTSUPP: _("this hub cannot switch the power of its sockets"),
}


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A USB device: its sysfs path, and its ids in four hexadecimal digits."""

    device: str
    vendor_id: str
    product_id: str
    product: str = ""


def serial_devices(sysfs: Path = _SYSFS, dev: Path = _DEV) -> list[SerialDevice]:
    """List the serial ports of USB devices; one that vanishes meanwhile is left out."""
    links = _by_path(dev)
    found = []
    for entry in _entries(sysfs / "class/tty"):
        with suppress(OSError):
            if "/usb" in str(entry.readlink()):
                found.append(_serial_device(entry.resolve(strict=True), dev, links))
    return [one for one in found if one is not None]


def _serial_device(tty: Path, dev: Path, links: dict[str, str]) -> SerialDevice | None:
    """Climb from a tty to its interface and its device (Linux: Documentation/ABI/testing/sysfs-bus-usb)."""
    interface = next((folder for folder in tty.parents if (folder / "bInterfaceNumber").exists()), None)
    device = next((folder for folder in tty.parents if (folder / "idVendor").exists()), None)
    if interface is None or device is None:
        return None
    usb = _usb_device(device)
    return SerialDevice(
        path=str(dev / tty.name),
        device=usb.device,
        vendor_id=usb.vendor_id,
        product_id=usb.product_id,
        interface=int(_read(interface / "bInterfaceNumber"), 16),
        by_path=links.get(tty.name, ""),
        product=usb.product,
        number=int(_read(device / "devnum") or 0),
    )


def storage_only(sysfs: Path = _SYSFS) -> list[UsbDevice]:
    """List the USB devices that show nothing but mass storage: a modem's CD-ROM with its drivers, or a memory stick."""
    found = []
    for entry in _entries(sysfs / "bus/usb/devices"):
        with suppress(OSError):
            classes = {_read(one) for one in entry.glob("*:*/bInterfaceClass")}
            if classes == {_MASS_STORAGE} and (entry / "idVendor").exists():
                found.append(_usb_device(entry.resolve(strict=True)))
    return found


def power_cycle(
    device_path: str | os.PathLike[str],
    *,
    sysfs: Path = _SYSFS,
    off: float = 2.0,
    wait: Callable[[float], object] = time.sleep,
) -> str:
    """Take a USB device's power away for `off` seconds and give it back; say which switch did it.

    The switch is its hub's (`disable` of the socket, Linux 6.0), which cuts the power where the hub is able to; else
    the device's `authorized`, which only takes its drivers away. Both let it start anew as if plugged in.

    Args:
        device_path: Its folder in sysfs, as `SerialDevice.device` names it.
        sysfs: Where sysfs is, if not at /sys.
        off: Seconds without power.
        wait: Waits for so many seconds; may end early.

    Raises:
        NotSupported: It cannot be done here; the sentence says why.
    """
    device = _found(Path(device_path), sysfs)
    reasons = []
    # The link is followed now: it goes with the device.
    for switch, away, back in (((device / "port").resolve() / "disable", "1", "0"), (device / "authorized", "0", "1")):
        reason = _switch_off(switch, away)
        if reason is not None:
            reasons.append(labelled(switch.name, reason))
            continue
        try:
            wait(off)
        finally:
            _give_back(switch, back)
        return switch.name
    raise NotSupported(
        _("the USB power of {device} cannot be switched: {reasons}", device=device.name, reasons=joined("; ", reasons))
    )


def _found(device: Path, sysfs: Path) -> Path:
    """Return where a device is in this sysfs.

    Raises:
        NotSupported: It is not there.
    """
    if device.is_relative_to(_SYSFS):
        device = sysfs / device.relative_to(_SYSFS)
    if not device.is_dir():
        raise NotSupported(_("there is no USB device {device}", device=device))
    return device


def _switch_off(switch: Path, away: str) -> str | None:
    """Take the power away; return why that cannot be done, or None where it was."""
    try:
        _write(switch, away)
    except OSError as error:
        return _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
    return None


def _give_back(switch: Path, value: str) -> None:
    try:
        _write(switch, value)
    except FileNotFoundError:
        pass  # it was pulled out meanwhile, and starts with power when it is plugged in again
    except OSError as error:
        raise NotSupported(
            _("{switch} cannot be switched back: {reason}", switch=switch, reason=error.strerror)
        ) from error


def _write(switch: Path, value: str) -> None:
    """Write to an attribute that is there: none is made."""
    descriptor = os.open(switch, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def _usb_device(folder: Path) -> UsbDevice:
    return UsbDevice(
        str(folder), _read(folder / "idVendor"), _read(folder / "idProduct"), _read(folder / "product", optional=True)
    )


def _by_path(dev: Path) -> dict[str, str]:
    """Find the links that name sockets, by the name of the tty that each leads to."""
    links = {}
    for link in _entries(dev / "serial/by-path"):
        with suppress(OSError):
            links[link.readlink().name] = str(link)
    return links


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except FileNotFoundError:
        return


def _read(attribute: Path, *, optional: bool = False) -> str:
    try:
        return attribute.read_text(errors="replace").strip()
    except OSError:
        if optional:
            return ""
        raise
