"""Hears from udev of the file systems on USB sticks: those that are there, and those that come."""

import logging
import os
import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from otppi.api.errors import NotSupported, sentence
from otppi.api.media import MediaWatcher, Medium
from otppi.kit import system_units
from otppi.kit.net.wake import Wake
from otppi_reset_stick.by_unit import ByUnit
from otppi_reset_stick.read_stick import DEVICE
from otppi_reset_stick.text import _

logger = logging.getLogger(__name__)

_UDEV: Final = Path("/run/udev/control")
_FILE_SYSTEMS: Final = frozenset({"vfat", "exfat"})
_MOST: Final = 32
"""File systems that are read of one watch: what plays a stick could come again and again."""


def made(control: Path = _UDEV) -> MediaWatcher:
    """Make a watcher where this device can read sticks.

    Raises:
        NotSupported: It cannot.
    """
    if not system_units.in_use():
        raise NotSupported(_("sticks are read on the card image only: its unit for that is missing here"))
    if not control.exists():
        raise NotSupported(_("no udev runs here, as in a container: sticks are not seen"))
    try:
        return StickWatcher()
    except (ImportError, OSError) as error:
        raise NotSupported(_("udev cannot be asked: {reason}", reason=sentence(error))) from error


class StickWatcher(MediaWatcher):
    """See `MediaWatcher`. Which sticks there are is looked at when `watch` begins.

    Args:
        read: Reads a file system, by its device's name and what it calls itself.

    Raises:
        ImportError: pyudev is not installed.
        OSError: libudev is not.
    """

    def __init__(self, read: Callable[[str, str], Medium] | None = None) -> None:
        import pyudev  # not everywhere installed, and it needs libudev

        self._context = pyudev.Context()
        # What udev has finished with: what its file system is called is known by then.
        self._monitor = pyudev.Monitor.from_netlink(self._context, source="udev")
        self._monitor.filter_by("block")
        self._monitor.start()  # before anything is listed, so that nothing is missed in between
        self._read = read or ByUnit().read
        self._wake = Wake()
        self._stopped = False
        self._told: set[tuple[str, str]] = set()
        self._left = _MOST

    def watch(self, found: Callable[[Medium], None], seconds: float) -> None:
        """Tell of file systems; see `MediaWatcher.watch`."""
        until = time.monotonic() + seconds
        for device in self._context.list_devices(subsystem="block"):
            self._look(device, found)
        while not self._stopped and (left := until - time.monotonic()) > 0:
            ready = select.select([self._monitor, self._wake.descriptor], [], [], left)[0]
            while self._monitor in ready and (event := self._monitor.poll(0)) is not None:
                if event.action == "remove":
                    self._forget(os.fspath(event.sys_path))
                else:
                    self._look(event, found)

    def stop(self) -> None:
        """End `watch`, for good."""
        self._stopped = True
        self._wake.set()

    def _look(self, device: Any, found: Callable[[Medium], None]) -> None:
        properties: Mapping[str, str] = device.properties
        if self._stopped or not _is_stick(properties, device.sys_name):
            return
        identity = properties.get("ID_FS_UUID", "")[:64]
        key = (os.fspath(device.sys_path), identity)
        if key in self._told or not self._left:
            return
        self._told.add(key)
        self._left -= 1
        if not self._left:
            logger.warning("more than %d file systems came by USB: no more are looked at", _MOST)
        found(self._read(device.sys_name, identity))

    def _forget(self, path: str) -> None:
        """Tell of it once more when it comes again."""
        self._told = {one for one in self._told if one[0] != path}


def _is_stick(properties: Mapping[str, str], name: str) -> bool:
    """Whether a device is a whole file system of a kind that is read, on USB (udev's usb_id and blkid say so)."""
    return (
        properties.get("ID_BUS") == "usb"
        and properties.get("ID_FS_USAGE") == "filesystem"
        and properties.get("ID_FS_TYPE") in _FILE_SYSTEMS
        and DEVICE.fullmatch(name) is not None
    )
