"""The server status: what the computer is, what runs on it, since when, and how it is; None is what is not known."""

import os
import re
import socket
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import otppi
from otppi.api.operations import Operation, Role
from otppi.host.gateway.interfaces import interfaces
from otppi.host.gateway.machine import machine
from otppi.host.gateway.operations import Running
from otppi.host.modems.power_supply import PowerSupply
from otppi.host.runtime.registry import HostCall
from otppi.text import _

_SEEN: Final = "_seen"


def server(running: Running, supply: PowerSupply, root: Path = Path("/")) -> dict[str, Any]:
    """Return how the computer is, as `machine` does, and more of it that changes seldom.

    Args:
        running: Of the gateway.
        supply: Tells of voltage and heat where the computer is a Raspberry Pi.
        root: Where `proc`, `sys` and `etc` are.
    """
    uptime = _number(root / "proc/uptime")
    return {
        **(how := machine(running.folder, root)),
        "swap": how["swap"] or _no_swap(root / "proc/meminfo"),
        "model": _first_line(root / "proc/device-tree/model").rstrip("\0") or None,
        "host_name": socket.gethostname(),
        "system": _system(root / "etc/os-release"),
        "kernel": f"{os.uname().sysname} {os.uname().release} ({os.uname().machine})",
        "python": ".".join(map(str, sys.version_info[:3])),
        "version": otppi.__version__,
        "uptime": uptime if uptime is None else round(uptime),
        "started": round(running.started),
        "now": round(time.time()),
        "zone": time.localtime().tm_zone,
        "frequency": _frequency(root / "sys/devices/system/cpu/cpu0/cpufreq"),
        "throttled": _throttled(supply),
        "own_memory": _own_memory(root / "proc/self/status"),
        "interfaces": interfaces(root),
    }


def _no_swap(file: Path) -> dict[str, int] | None:
    """Return that there is none, where the kernel says so; None where it says nothing (proc(5), meminfo)."""
    return {"total": 0, "free": 0} if re.search(r"(?m)^SwapTotal:\s+0 kB$", _read(file)) else None


def _throttled(supply: PowerSupply) -> dict[str, list[str]] | None:
    """Return what the firmware has against voltage and heat: now, and since the device was switched on."""
    reading = supply.reading()
    if reading is None:
        return None
    so = [name for name, value in asdict(reading).items() if value]
    return {
        "now": [one for one in so if not one.endswith(_SEEN)],
        "since_start": [one.removesuffix(_SEEN) for one in so if one.endswith(_SEEN)],
    }


def _system(file: Path) -> str | None:
    """Return what the operating system is called (os-release(5))."""
    for line in _read(file).splitlines():
        name, _equals, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip("\"'") or None
    return None


def _frequency(folder: Path) -> int | None:
    """Return at how many hertz the processor runs now (Linux tells thousands)."""
    told = _number(folder / "scaling_cur_freq")
    return None if told is None else round(told * 1000)


def _own_memory(file: Path) -> int | None:
    """Return the octets of memory that the gateway's process has (proc(5), VmRSS)."""
    for line in _read(file).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None


def _number(file: Path) -> float | None:
    try:
        return float(_read(file).split()[0])
    except (IndexError, ValueError):
        return None


def _first_line(file: Path) -> str:
    return next(iter(_read(file).splitlines()), "")


def _read(file: Path) -> str:
    """Return what a file says; nothing of one that is not there."""
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _server(call: HostCall) -> dict[str, Any]:
    """Return how the device is; null for what it does not tell."""
    return server(call.part(Running), call.part(PowerSupply))


OPERATIONS = (
    Operation(
        name="server_status",
        title=_("Server status"),
        help=_(
            "Say how the device is: memory, swap, storage, processor, temperature, voltage, its network interfaces "
            "with their addresses, what it is and runs, and since when. What it does not tell is told as not known."
        ),
        handler=_server,
        role=Role.VIEWER,
        reads_only=True,
        command="server",
        examples=("", "--json | jq .interfaces"),
    ),
)
