"""What the gateway asks the unit for, as a document: one writes it, and the other reads it as if somebody hostile had.

The unit's program is root and the gateway is not: a gateway that somebody has taken over may write anything. So each
field has the type and the length that the gateway's has, and no other fields are taken; what they may hold is checked
by what makes them into a script and options (`otppi_internet_ppp.chat`, `otppi_internet_ppp.options`).
"""

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from otppi.api.internet import Dialling
from otppi.kit.handed_over import BadRequestError
from otppi_internet_ppp.plugin import SECTION

REQUEST = "request.json"
"""The file's name, in the folder that the gateway and the unit share."""
LINES = "lines"
"""The name of the socket at which the gateway listens for what pppd says."""
LONGEST = 16 * 1024
"""Octets of a document; those of the gateway have at most 3,000."""

_MOST_INIT, _LONGEST_COMMAND = 10, 256
_BAUD_RATES = range(300, 4_000_001)
_PORT = re.compile(r"tty[A-Z][A-Za-z]{0,7}[0-9]{1,4}")
"""ttyUSB0, ttyACM0, ttyAMA0 …; not tty1, which is a console."""


@dataclass(frozen=True, slots=True)
class Request:
    """What pppd is to be told."""

    dialling: Dialling
    settings: Mapping[str, Any]

    def document(self) -> bytes:
        """Write it. The port's name is the kernel's: the unit follows no links."""
        port = os.path.realpath(self.dialling.port)
        settings = {setting.key: self.settings[setting.key] for setting in SECTION.settings}
        return json.dumps(asdict(self.dialling) | {"port": port} | settings).encode()


def parse(document: bytes) -> Request:
    """Read a document.

    Raises:
        BadRequestError: It is none of ours.
    """
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):
        raise BadRequestError("it is no JSON") from None
    if not isinstance(fields, dict) or fields.keys() != _FIELDS.keys():
        raise BadRequestError("it does not have the fields that it has to have")
    for name, is_valid in _FIELDS.items():
        if not is_valid(fields[name]):
            raise BadRequestError(f"the field {name} is not what it has to be")
    settings = {setting.key: fields.pop(setting.key) for setting in SECTION.settings}
    return Request(Dialling(**fields | {"init": tuple(fields["init"])}), settings)


def serial_port(path: str, *, dev: Path = Path("/dev"), sysfs: Path = Path("/sys")) -> str:
    """Return the path of a serial port.

    Args:
        path: Where it is said to be.
        dev: Where devices are, if not in /dev.
        sysfs: Where sysfs is, if not at /sys.

    Raises:
        BadRequestError: It is anything else.
    """
    name = path.removeprefix(f"{dev}/")
    if name == path or not _PORT.fullmatch(name) or not _is_tty(Path(path), sysfs):
        raise BadRequestError("the port is no serial port")
    return path


def _is_tty(path: Path, sysfs: Path) -> bool:
    """Whether a file is a device of the kernel's subsystem tty (Linux: Documentation/ABI/stable/sysfs-dev)."""
    try:
        status = path.lstat()
        number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
        subsystem = (sysfs / "dev/char" / number / "subsystem").resolve(strict=True)
    except OSError:
        return False
    return stat.S_ISCHR(status.st_mode) and subsystem.name == "tty"


def _text(longest: int) -> Callable[[Any], bool]:
    def is_valid(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= longest and not re.search("[\0\ud800-\udfff]", value)

    return is_valid


def _are_commands(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_INIT and all(map(_text(_LONGEST_COMMAND), value))


def _is_baud_rate(value: Any) -> bool:
    return type(value) is int and value in _BAUD_RATES


def _setting(key: str) -> Callable[[Any], bool]:
    return lambda value: SECTION[key].problem(value) is None


_FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "port": _text(64),
    "baud_rate": _is_baud_rate,
    "apn": _text(100),
    "username": _text(250),
    "password": _text(250),
    "dial_command": _text(8),
    "dial_number": _text(40),
    "init": _are_commands,
    **{setting.key: _setting(setting.key) for setting in SECTION.settings},
}
