"""The computer that the gateway runs on: memory, storage, processor, temperature, voltage, as Linux tells them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from otppi.host.gateway.hardware import card_health, memory_pressure, over_currents

_PROCESSOR = ("cpu", "soc", "pkg")
"""What the names of thermal zones hold that are the processor's, such as cpu-thermal of a Raspberry Pi."""
LITTLE_MEMORY: Final = 5.0
"""Percent of the memory that are too few to go on with."""


def machine(folder: Path, root: Path = Path("/")) -> dict[str, Any]:
    """Return how the computer is: sizes in octets, degrees Celsius, volts, percent; None for what it does not tell.

    Args:
        folder: On the storage that is told of.
        root: Where `proc` and `sys` are.
    """
    memory = _memory(root / "proc/meminfo")
    return {
        "memory": _share(memory, "MemTotal", "MemAvailable"),
        "swap": _share(memory, "SwapTotal", "SwapFree"),
        "storage": _storage(folder),
        "load": _load(root / "proc/loadavg"),
        "cores": os.cpu_count() or 1,
        "temperature": _temperature(root / "sys/class/thermal"),
        "voltage": _voltage(root / "sys/class"),
        "undervoltage": undervoltage(root / "sys/class/hwmon"),
        "memory_pressure": memory_pressure(root),
        "storage_errors": None if (card := card_health(root)) is None else card.errors,
        "storage_life_used": None if card is None else card.life_used,
        "usb_over_currents": dict(over_currents(root)),
    }


@dataclass(frozen=True, slots=True)
class StorageUse:
    """How full the storage is that a folder is on, in percent of what its user may have; and whether it is writable."""

    used: float
    writable: bool


def storage_use(folder: Path) -> StorageUse | None:
    """Return how full the storage is; None where it does not tell."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    usable = status.f_blocks - status.f_bfree + status.f_bavail  # not what is reserved for root, as in df(1)
    used = 100.0 * (usable - status.f_bavail) / usable if usable else 0.0
    return StorageUse(used, not status.f_flag & os.ST_RDONLY)


def memory_left(root: Path = Path("/")) -> float | None:
    """Return how many percent of the memory programs may still use; None where it is not told."""
    share = _share(_memory(root / "proc/meminfo"), "MemTotal", "MemAvailable")
    return None if share is None else 100.0 * share["free"] / share["total"]


def temperature(root: Path = Path("/")) -> float | None:
    """Return how hot the processor is, in degrees Celsius; None where it is not told."""
    return _temperature(root / "sys/class/thermal")


def _memory(file: Path) -> dict[str, int]:
    """Read proc(5) meminfo: a name and a number of KiB in each line."""
    lines = (line.split() for line in _read(file).splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1 and words[1].isdecimal()}


def _share(memory: dict[str, int], total: str, free: str) -> dict[str, int] | None:
    if not memory.get(total) or free not in memory:
        return None
    return {"total": memory[total], "free": memory[free]}


def _storage(folder: Path) -> dict[str, int] | None:
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return {"total": status.f_blocks * status.f_frsize, "free": status.f_bavail * status.f_frsize}


def _load(file: Path) -> float | None:
    """Return how many programs want to run, on the average of a minute (proc(5) loadavg)."""
    try:
        return float(_read(file).split()[0])
    except (IndexError, ValueError):
        return None


def _temperature(zones: Path) -> float | None:
    """Return the processor's temperature, else that of the first zone (Linux tells thousandths of a degree)."""
    known = sorted(zones.glob("thermal_zone*"))
    processor = [zone for zone in known if any(one in _read(zone / "type") for one in _PROCESSOR)]
    return next(iter(_degrees([*processor, *known])), None)


def _degrees(zones: Iterable[Path]) -> Iterable[float]:
    for zone in zones:
        told = _read(zone / "temp").strip()
        if told.lstrip("-").isdecimal():
            yield int(told) / 1000


def _voltage(classes: Path) -> float | None:
    """Return a voltage that is measured: of a sensor (in millivolts), else of a power supply (in microvolts)."""
    sensors = sorted(classes.glob("hwmon/hwmon*/in*_input"))
    supplies = sorted(classes.glob("power_supply/*/voltage_now"))
    told = ((file, 1000) for file in sensors), ((file, 1_000_000) for file in supplies)
    volts = (int(text) / unit for files in told for file, unit in files if (text := _read(file).strip()).isdecimal())
    return next((one for one in volts if one), None)


def undervoltage(sensors: Path = Path("/sys/class/hwmon")) -> bool | None:
    """Return whether a Raspberry Pi gets too little (its driver raspberrypi-hwmon has an alarm, and no number)."""
    for sensor in sorted(sensors.glob("hwmon*")):
        if _read(sensor / "name").strip() == "rpi_volt" and (alarm := _read(sensor / "in0_lcrit_alarm").strip()):
            return alarm != "0"
    return None


def _read(file: Path) -> str:
    """Return what a file says; nothing of one that is not there, or whose sensor cannot be read now."""
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""
