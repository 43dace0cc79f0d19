"""Checks of the device: the data folder, the space on the card, the RAM-backed folder, the clock."""

import os
import pwd
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from otppi.api.errors import OtpPiError
from otppi.cli.checks.finding import Finding, ok, problem, warning
from otppi.cli.language import _
from otppi.cli.talk import CONTROL_LINK
from otppi.host.clock.known_dates import newest_date
from otppi.host.data_folder import boot_folder_of
from otppi.host.gateway.hardware import WORN_OUT, CardHealth, card_health, over_currents
from otppi.host.gateway.machine import LITTLE_MEMORY, memory_left, temperature
from otppi.host.modems.power_supply import read_throttled

_HOT = 80.0
_FULL = 10 * 1024 * 1024
_NEARLY_FULL = 100 * 1024 * 1024
_IN_RAM = frozenset({"tmpfs", "ramfs"})


def check_folder(data: Path) -> Iterator[Finding]:
    """Look at the data folder's owner, permissions and space."""
    status = data.stat()
    owner = _name(status.st_uid)
    if os.geteuid() not in (0, status.st_uid):
        yield problem(
            _("data folder"),
            _("{data} belongs to {owner}", data=data, owner=owner),
            _("try again with sudo, or name your own with --data"),
        )
        return
    files = list(data.iterdir())
    strangers = [path.name for path in files if path.lstat().st_uid != status.st_uid]
    open_ones = [path.name for path in files if not path.is_symlink() and path.stat().st_mode & 0o077]
    if status.st_mode & 0o077:
        yield problem(_("data folder"), _("{data} may be read by others", data=data), f"chmod 700 {data}")
    elif strangers:
        yield problem(
            _("data folder"),
            _("{strangers} does not belong to {owner}", strangers=", ".join(strangers), owner=owner),
            f"chown -R {owner}: {data}",
        )
    elif open_ones:
        # The folder keeps others out; a backup of it may not.
        yield warning(
            _("data folder"),
            _("{open_ones} may be read by others", open_ones=", ".join(open_ones)),
            f"chmod -R go= {data}",
        )
    else:
        yield ok(_("data folder"), _("{data} belongs to {owner} alone", data=data, owner=owner))
    yield _space(data)


def _space(data: Path) -> Finding:
    if os.statvfs(data).f_flag & os.ST_RDONLY:
        advice = _("messages go out, and nothing is kept: change the card, or mount it for writing")
        return problem(_("free space"), _("{data} is read-only: the card may be worn out", data=data), advice)
    free = shutil.disk_usage(data).free
    text = _("{free} MB are free", free=free // (1024 * 1024))
    if free < _FULL:
        return problem(_("free space"), text, _("delete what is not needed: settings cannot be kept"))
    return (
        warning(_("free space"), text, _("delete what is not needed"))
        if free < _NEARLY_FULL
        else ok(_("free space"), text)
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def check_boot_folder(data: Path) -> Finding:
    """Look whether what must not outlive the power is on a RAM disk."""
    link = data / CONTROL_LINK
    try:
        folder = link.readlink().parent if link.is_symlink() else boot_folder_of(data)
    except OtpPiError as error:
        return problem(
            _("boot folder"), str(error), _("remove it, or set RUNTIME_DIRECTORY to a folder of your own on a RAM disk")
        )
    there = next(path for path in (folder, *folder.parents) if path.exists())
    kind = _file_system(there)
    if kind in _IN_RAM:
        return ok(_("boot folder"), _("{folder} is in RAM ({kind})", folder=folder, kind=kind))
    return warning(
        _("boot folder"),
        _("{folder} is on {kind}: each message wears the card", folder=folder, kind=kind),
        _("set RUNTIME_DIRECTORY to a folder on a tmpfs"),
    )


def _file_system(path: Path) -> str:
    """Name the type of the file system that a path is on (proc(5), /proc/pid/mounts: the last one mounted counts)."""
    real, found = path.resolve(), ("", _("an unknown file system"))
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _device, escaped, kind, *_options = line.split(" ")
        mounted = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), escaped)
        if real.is_relative_to(mounted) and len(mounted) >= len(found[0]):
            found = (mounted, kind)
    return found[1]


def check_clock(data: Path) -> Finding:
    """Look whether the clock is behind the image or what was kept: then it was not set since power-on."""
    now, newest = time.time(), newest_date(data)
    if now < newest:
        return problem(
            _("clock"),
            _("it is {day} by the clock, but files of {day2} are here", day=_day(now), day2=_day(newest)),
            _("connect to the network so that the time is set, or check the battery of the real-time clock"),
        )
    return ok(_("clock"), _("{day} is plausible", day=_day(now)))


def check_power_supply() -> Iterator[Finding]:
    """Look whether the supply of this device is too weak, where it can tell (modems.md 33)."""
    throttled = read_throttled()
    if throttled is None:
        return
    advice = _("use the power supply of the Raspberry Pi, a short cable, and a powered USB hub for the modems")
    if throttled.under_voltage:
        yield problem(_("power supply"), throttled.hint, advice)
    elif throttled.under_voltage_seen:
        yield warning(_("power supply"), _("{hint}: modems may have been lost by it", hint=throttled.hint), advice)
    else:
        yield ok(_("power supply"), _("its voltage has been right since the device was switched on"))


def check_hardware(root: Path = Path("/")) -> Iterator[Finding]:
    """Look at what wears out or fails first, where it tells: card, memory, heat, USB ports.

    Args:
        root: Where `proc` and `sys` are.
    """
    if (card := card_health(root)) is not None:
        yield _card(card)
    if (hot := temperature(root)) is not None:
        text = _("{degrees:.0f} °C", degrees=hot)
        advice = _("give the device air, or a heat sink: a Raspberry Pi slows down at 80 °C")
        yield warning(_("temperature"), text, advice) if hot >= _HOT else ok(_("temperature"), text)
    if (left := memory_left(root)) is not None:
        text = _("{left:.0f} % of the memory are left", left=left)
        advice = _("restart the gateway; if it comes again: otppi diagnostics")
        yield warning(_("memory"), text, advice) if left < LITTLE_MEMORY else ok(_("memory"), text)
    for device, count in over_currents(root).items():
        text = _("the port of device {device} was cut off {count} times: too much current", device=device, count=count)
        yield problem(_("USB power"), text, _("plug the modems into a hub with a supply of its own"))


def _card(card: CardHealth) -> Finding:
    advice = _("make a backup (otppi backup), and replace the card")
    if card.errors:
        return problem(_("card"), _("the file systems have noted {errors} errors", errors=card.errors), advice)
    used = card.life_used
    if used is not None and used >= WORN_OUT:
        return problem(_("card"), _("{used} % of its life are used up", used=used), advice)
    return ok(_("card"), _("no file system has noted an error"))


def _day(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d")
