"""USB power by a unit of systemd: the gateway asks for it, and the program of the unit does it as root.

In the card image sysfs is read-only for the gateway. The unit is `otppi-usb-power@.service`, with the device's name in
sysfs as its instance. A name has no character that systemd would have escaped but `-`, which may stand as it is:
`%i` is the name, `%I` would make a `/` of it (systemd.unit(5), SPECIFIERS).
"""

import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from otppi.api.errors import NotSupported
from otppi.kit import system_units
from otppi.kit.at.usb import power_cycle
from otppi.text import _, words

logger = logging.getLogger(__name__)

_DEVICE: Final = re.compile(r"[0-9]{1,3}-[0-9]{1,3}(\.[0-9]{1,3}){0,6}")
"""Bus, and the ports on the way (Linux: usb_alloc_dev); not `usb1`, which is a hub of the computer's own."""
_SYSFS: Final = Path("/sys")
_TIMEOUT: Final = 30.0
_MOUNTS: Final = Path("/proc/self/mountinfo")
_HUB: Final = "09"
"""bDeviceClass of a hub (USB 2.0, 11.23.1)."""
_NO_DEVICE: Final = 2
_NOT_SWITCHED: Final = 3


def power_cycle_by_unit(device_path: str | os.PathLike[str]) -> str:
    """Have a USB device's power taken away and given back by the unit for that; return the unit's name.

    Args:
        device_path: Its folder in sysfs, as `SerialDevice.device` names it.

    Raises:
        NotSupported: It cannot be done; the sentence says why.
    """
    device = Path(device_path).name
    if not _DEVICE.fullmatch(device):
        raise NotSupported(_("there is no USB device {device}", device=device))
    unit = f"otppi-usb-power@{device}.service"
    try:
        system_units.start(unit, _TIMEOUT)
    except system_units.UnitFailed as error:
        if error.exit_status == _NO_DEVICE:
            raise NotSupported(_("there is no USB device {device}", device=device)) from error
        reason = words(error)
        raise NotSupported(
            _("the USB power of {device} cannot be switched: {reasons}", device=device, reasons=reason)
        ) from error
    except system_units.UnitError as error:
        raise NotSupported(words(error)) from error
    return unit


def main(
    arguments: Sequence[str],
    *,
    sysfs: Path = _SYSFS,
    mounts: Path = _MOUNTS,
    switch: Callable[..., str] = power_cycle,
) -> int:
    """Take the power of the one device that is named away and give it back, as root; return the exit status.

    A gateway that somebody has taken over names anything: not the disk that this computer runs from, nor a hub, behind
    which that may be, and the network.

    Args:
        arguments: The device's name in sysfs.
        sysfs: Where sysfs is, if not at /sys.
        mounts: What is mounted, as proc_pid_mountinfo(5) has it.
        switch: What does it.
    """
    if len(arguments) != 1 or not _DEVICE.fullmatch(arguments[0]):
        logger.error("this is not the name of a USB device")
        return _NO_DEVICE
    try:
        folder = (sysfs / "bus/usb/devices" / arguments[0]).resolve(strict=True)
    except OSError as error:
        logger.error("there is no such USB device: %s", error.strerror)  # noqa: TRY400 - the reason, not where
        return _NO_DEVICE
    if _is_needed(folder, mounts):
        logger.error("this is a hub, or a disk that is mounted: it keeps its power")
        return _NOT_SWITCHED
    try:
        logger.info("its power was cut (%s)", switch(folder, sysfs=sysfs))
    except NotSupported as error:
        logger.error("%s", error)  # noqa: TRY400
        return _NOT_SWITCHED
    return 0


def _is_needed(folder: Path, mounts: Path) -> bool:
    """Whether a USB device is a hub, or has a disk that is mounted."""
    attribute = folder / "bDeviceClass"
    if attribute.exists() and attribute.read_text().strip() == _HUB:
        return True
    mounted = {line.split()[2] for line in mounts.read_text().splitlines()}
    numbers = (one / "dev" for block in folder.rglob("block") for one in (*block.glob("*"), *block.glob("*/*")))
    return any(number.is_file() and number.read_text().strip() in mounted for number in numbers)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
