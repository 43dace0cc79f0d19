"""What wears out or fails first of the computer that the gateway runs on: its card, memory, supply and USB ports.

All of it is read from files of the kernel that cost nothing to read; None, or nothing, is what it does not tell.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PORT: Final = re.compile(r"(?:usb(?P<bus>[0-9]+)|(?P<hub>[0-9]+-[0-9.]+))-port(?P<port>[0-9]+)")
"""The names of USB ports in sysfs: `usb1-port2` of a root hub, `1-1-port4` of another one."""
_WORN: Final = 0x0B
"""Greater than 100 % of the life that was meant (JESD84-B51, 7.4.20: DEVICE_LIFE_TIME_EST)."""
_TENTH: Final = 10
WORN_OUT: Final = 90
"""Percent of its life that a card has used up when it is to be replaced."""


@dataclass(frozen=True, slots=True)
class CardHealth:
    """How the storage is.

    Attributes:
        errors: Errors that the file systems (ext4) have noted since they were made or repaired.
        life_used: Percent of its life that a card has used, in tens, where it tells (eMMC does, most SD cards do not).
    """

    errors: int
    life_used: int | None = None


def card_health(root: Path = Path("/")) -> CardHealth | None:
    """Return how the storage is; None where no file system tells.

    Args:
        root: Where `sys` is.
    """
    told = [_number(file) for file in sorted((root / "sys/fs/ext4").glob("*/errors_count"))]
    errors = [one for one in told if one is not None]
    lives = [life for file in sorted((root / "sys/block").glob("mmcblk*/device/life_time")) for life in _lives(file)]
    if not errors and not lives:
        return None
    return CardHealth(sum(errors), max(lives, default=None))


def _lives(file: Path) -> Iterator[int]:
    """Yield what each kind of memory of a card has used: `0x01 0x02`, in tenths; 0 is not told."""
    for word in _read(file).split():
        value = int(word, 16) if re.fullmatch("0x[0-9a-fA-F]{1,2}", word) else 0
        if value:
            yield min(value, _WORN) * _TENTH


def memory_pressure(root: Path = Path("/")) -> float | None:
    """Return for how many percent of the last minute some program waited for memory (PSI: proc_pressure(5))."""
    found = re.search(r"^some .*?\bavg60=([0-9.]+)", _read(root / "proc/pressure/memory"), re.MULTILINE)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def over_currents(root: Path = Path("/")) -> Mapping[str, int]:
    """Return how often each USB port was cut off as too much current was drawn, since the device was switched on.

    Returns:
        The counts of the ports where that happened, by the name in sysfs of the device that is plugged in there, such
        as `1-1.2` (Documentation/ABI/testing/sysfs-bus-usb, over_current_count).
    """
    files = sorted((root / "sys/bus/usb/devices").glob("*/*-port*/over_current_count"))
    counts = ((_device_at(file.parent.name), _number(file)) for file in files)
    return {device: count for device, count in counts if device and count}


def _device_at(port: str) -> str:
    found = _PORT.fullmatch(port)
    if found is None:
        return ""
    return f"{found['bus']}-{found['port']}" if found["bus"] else f"{found['hub']}.{found['port']}"


def _number(file: Path) -> int | None:
    told = _read(file).strip()
    return int(told) if told.isdecimal() else None


def _read(file: Path) -> str:
    """Return what a file says; nothing of one that is not there, or cannot be read now."""
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""
