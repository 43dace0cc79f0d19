"""Hot-plugged devices by udev: sysfs tells which are there, libudev (pyudev) when one came or went."""

import logging
import os
import select
from collections.abc import Sequence
from pathlib import Path

from otppi.api.devices import SerialDevice
from otppi.host.modems.device import DeviceSource
from otppi.kit.at.usb import UsbDevice, serial_devices, storage_only
from otppi.kit.net.wake import Wake

logger = logging.getLogger(__name__)

_UDEV = Path("/run/udev/control")


def udev_source(control: Path = _UDEV) -> DeviceSource | None:
    """Watch by udev, or tell once why that cannot be: then modems are where their settings say, and nowhere else."""
    reason = f"no udev runs here ({control} is missing, as in a container)"
    if control.exists():
        try:
            return UdevSource()
        except (ImportError, OSError) as error:
            reason = str(error)
    logger.info("modems are looked for at the ports that are set, and new ones are not seen: %s", reason)
    return None


class UdevSource:
    """See `DeviceSource`."""

    def __init__(self) -> None:
        import pyudev  # not everywhere installed, and it needs libudev

        # What udev has finished with: the links to the device are there by then, and its permissions are set.
        self._monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
        for subsystem in ("tty", "usb"):
            self._monitor.filter_by(subsystem)
        self._monitor.start()  # before anything is listed, so that nothing is missed in between
        self._wake = Wake()
        self._stopped = False

    def ports(self) -> Sequence[SerialDevice]:
        """List what sysfs tells now."""
        return serial_devices()

    def storage(self) -> Sequence[UsbDevice]:
        """List the devices that show only mass storage."""
        return storage_only()

    def wait(self, timeout: float | None) -> bool:
        """Wait for an event; all that have come by then are one change."""
        if self._stopped:
            return False
        ready, _, _ = select.select([self._monitor, self._wake.descriptor], [], [], timeout)
        changed = False
        while self._monitor in ready and (event := self._monitor.poll(0)) is not None:
            logger.debug("udev: %s %s", event.action, os.fspath(event.sys_path))
            changed = True
        return changed

    def stop(self) -> None:
        """End `wait`, for good."""
        self._stopped = True
        self._wake.set()
