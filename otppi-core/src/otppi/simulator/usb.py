"""Owns a folder that plays /dev and /sys for the modems of a rack: sockets, ttyUSB numbers, CD-ROMs, power switches."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from otppi.simulator.profile import ModemProfile

_VENDOR_SPECIFIC, _MASS_STORAGE = "ff", "08"
_HUB = "devices/platform/usb1"


class UsbTree:
    """The folders of a rack, laid out as Linux does.

    Attributes:
        dev: plays /dev: ttyUSB links to ptys, and serial/by-path.
        sys: plays /sys.
    """

    def __init__(self, root: Path) -> None:
        self.dev, self.sys = root / "dev", root / "sys"
        for folder in (self.dev / "serial/by-path", self.sys / "class/tty", self.sys / "bus/usb/devices"):
            folder.mkdir(parents=True)
        self._enumerated = count(2)
        self._taken: set[int] = set()

    def next_device_number(self) -> int:
        """Assign a number to a device that is plugged in (devnum)."""
        return next(self._enumerated)

    def take_tty(self, but: Collection[int]) -> int:
        """Take the lowest ttyUSB number that is free, and not one of `but`."""
        number = next(number for number in count() if number not in self._taken and number not in but)
        self._taken.add(number)
        return number

    def free_tty(self, number: int) -> None:
        """Give a number back."""
        self._taken.discard(number)


class UsbSocket:
    """One socket of the hub, and what is plugged into it.

    Args:
        tree: the folders.
        number: of the socket, from 1.
    """

    def __init__(self, tree: UsbTree, number: int) -> None:
        self._tree = tree
        self._name = f"1-{number}"
        self.device = tree.sys / _HUB / self._name
        self._port = tree.sys / _HUB / f"1-0:1.0/usb1-port{number}"
        self._port.mkdir(parents=True)
        os.mkfifo(self._port / "disable")
        self._ttys: list[int] = []
        self._links: list[Path] = []

    @property
    def switches(self) -> tuple[Path, Path]:
        """The attributes that take the power away: of the hub (1 = off), and of the device (0 = off)."""
        return self._port / "disable", self.device / "authorized"

    def attach(self, profile: ModemProfile, ports: int, *, other_numbers: bool) -> list[Path]:
        """Let a device appear; return the link of each of its ports. Without any it shows a CD-ROM.

        Args:
            profile: who it is.
            ports: how many serial ports it has.
            other_numbers: whether they get other ttyUSB numbers than they had.
        """
        if not self.device.exists():
            self._appear(profile)
        before, self._ttys = self._ttys, []
        for index in range(ports or 1):
            self._interface(index, _VENDOR_SPECIFIC if ports else _MASS_STORAGE)
        self._ttys = [self._tree.take_tty(before if other_numbers else ()) for _ in range(ports)]
        return [self._tty(index, number) for index, number in enumerate(self._ttys)]

    def announce(self) -> None:
        """Make the links to the ports, when they work: now whoever looks for devices finds them."""
        for index, number in enumerate(self._ttys):
            name = f"ttyUSB{number}"
            where = f"platform-hcd-usb-0:{self._name.partition('-')[2]}:1.{index}-port0"
            self._link(self._tree.dev / f"serial/by-path/{where}", Path("../..") / name)
            self._link(self._tree.sys / f"class/tty/{name}", self._folder(index) / name / "tty" / name)

    def detach(self, *, keep_device: bool = False) -> None:
        """Let the device vanish; with `keep_device` only its interfaces do, as without authorisation."""
        for link in self._links:
            link.unlink(missing_ok=True)
        self._links.clear()
        for number in self._ttys:
            self._tree.free_tty(number)
        for folder in self.device.glob("*:*"):
            shutil.rmtree(folder)
        if not keep_device:
            (self._tree.sys / "bus/usb/devices" / self._name).unlink(missing_ok=True)
            shutil.rmtree(self.device, ignore_errors=True)

    def _appear(self, profile: ModemProfile) -> None:
        self.device.mkdir()
        vendor, product = profile.usb_ids
        attributes = {"idVendor": vendor, "idProduct": product, "product": profile.model}
        for name, value in (attributes | {"devnum": str(self._tree.next_device_number())}).items():
            (self.device / name).write_text(f"{value}\n")
        os.mkfifo(self.device / "authorized")
        (self.device / "port").symlink_to(self._port)
        (self._tree.sys / "bus/usb/devices" / self._name).symlink_to(self.device)

    def _interface(self, index: int, kind: str) -> None:
        folder = self._folder(index)
        folder.mkdir()
        (folder / "bInterfaceNumber").write_text(f"{index:02x}\n")
        (folder / "bInterfaceClass").write_text(f"{kind}\n")

    def _tty(self, index: int, number: int) -> Path:
        name = f"ttyUSB{number}"
        (self._folder(index) / name / "tty" / name).mkdir(parents=True)
        return self._tree.dev / name

    def _folder(self, index: int) -> Path:
        return self.device / f"{self._name}:1.{index}"

    def _link(self, link: Path, target: Path) -> None:
        link.symlink_to(target)
        self._links.append(link)


class Switch:
    """The rack's end of a power switch: hears what is written there."""

    def __init__(self, path: Path) -> None:
        # Open for writing as well, lest a writer that closes it ends it.
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._name = path.name

    def turned(self) -> Iterator[tuple[str, str]]:
        """Yield what was written, as (name of the switch, value)."""
        with suppress(BlockingIOError):
            for value in os.read(self.descriptor, 64).decode().split("\n")[0]:
                yield self._name, value

    def close(self) -> None:
        """Hear no more."""
        os.close(self.descriptor)
