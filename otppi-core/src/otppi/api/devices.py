"""The serial ports that hot-plugged devices bring, and where a modem of a certain IMEI is among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SerialDevice:
    """One serial port, as udev tells of it; texts are empty where it does not tell.

    Attributes:
        path: The device file, e.g. `/dev/ttyUSB2`. It changes whenever the device comes back.
        device: What is the same for all ports of one device: the sysfs path of the USB device; else `path`.
        vendor_id, product_id: USB ids, four hexadecimal digits in small letters.
        interface: Number of the USB interface (bInterfaceNumber); None where it has none.
        by_path: The link that names the socket it is plugged into (`/dev/serial/by-path/…`).
        product: What the device calls itself.
        number: USB device number: another one whenever it is plugged in or starts anew.
    """

    path: str
    device: str
    vendor_id: str = ""
    product_id: str = ""
    interface: int | None = None
    by_path: str = ""
    product: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class UsbMatch:
    """USB ids that a modem type drives, and where among its ports the modem takes AT commands.

    `product_id` is empty for all of the vendor. `at_interfaces` are asked first, in this order; the others after them.
    """

    vendor_id: str
    product_id: str = ""
    at_interfaces: tuple[int, ...] = ()


class Devices(Protocol):
    """The ports that are there now. Any thread."""

    def ports(self) -> Sequence[SerialDevice]:
        """List the serial ports of hot-plugged devices."""

    def locate(self, modem: str, imei: str, hint: str) -> str:
        """Return where the modem of an IMEI takes AT commands; `modem` is its name, `hint` the port that is set.

        Without an IMEI that is the hint. The port is this modem's until `release`, with all others of its device.

        Raises:
            ModemLost: It is not there now; it is looked for, and the gateway opens the modem when it comes.
        """

    def identified(self, modem: str, imei: str) -> None:
        """Take note of the IMEI that was read at the port of a modem, empty where it told none."""

    def release(self, modem: str) -> None:
        """Give the port of a modem free, for it or for another one. Safe to call twice."""
