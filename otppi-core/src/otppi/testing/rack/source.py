"""Owns how a test lets a gateway see the USB devices of a rack come and go, as udev would tell it."""

from collections.abc import Sequence

from otppi.api.devices import SerialDevice
from otppi.kit.at.usb import UsbDevice, serial_devices, storage_only
from otppi.simulator.pty import ModemRack


class RackSource:
    """The source of devices for `otppi.host.host.Host`: a rack with `usb`."""

    def __init__(self, rack: ModemRack) -> None:
        assert rack.usb  # noqa: S101 - a rack without USB has no devices
        self._rack = rack
        self._tree = rack.usb
        self._seen = rack.changes
        self._stopped = False

    def ports(self) -> Sequence[SerialDevice]:
        """List the ports."""
        with self._rack.lock:
            return serial_devices(self._tree.sys, self._tree.dev)

    def storage(self) -> Sequence[UsbDevice]:
        """List the CD-ROMs."""
        with self._rack.lock:
            return storage_only(self._tree.sys)

    def wait(self, timeout: float | None) -> bool:
        """Wait until something is plugged in or out."""
        with self._rack.changed:
            changed = self._rack.changed.wait_for(lambda: self._stopped or self._rack.changes != self._seen, timeout)
            self._seen = self._rack.changes
            return changed and not self._stopped

    def stop(self) -> None:
        """End `wait`."""
        with self._rack.changed:
            self._stopped = True
            self._rack.changed.notify_all()
