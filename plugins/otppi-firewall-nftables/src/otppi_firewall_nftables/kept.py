"""The table that is kept on the card: one file of root's, which nft loads at boot, and which says what it is made of.

Its first line is the check sum of all that follows, its second one the ports in JSON; both are comments to nft. So it
is whole or not there, however the power fails, and one that the card has damaged is known, also to the script that
loads it at boot (/usr/lib/otppi/firewall), where no Python runs yet.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import new_name, replace_whole
from otppi.kit.handed_over import BadRequestError
from otppi_firewall_nftables.ports import Ports
from otppi_firewall_nftables.request import read_rows
from otppi_firewall_nftables.table import table

KEPT: Final = Path("/etc/otppi/firewall/kept.nft")

_SUM: Final = b"# sha256 "
_FOR_ALL: Final = 0o644


class DamagedError(Exception):
    """What is kept cannot be used."""


def write_kept(path: Path, ports: Ports) -> None:
    """Keep a table.

    Raises:
        OSError: The card takes nothing; what was kept stays.
    """
    about = {"services": ports.services, "page": ports.page, "ports": [dict(row) for row in ports.rows]}
    rest = f"# {json.dumps(about)}\n{table(ports)}".encode()  # one line: a line feed in a note is escaped
    content = _SUM + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest
    replace_whole(path, content, before=lambda: new_name(path).chmod(_FOR_ALL))


def read_kept(path: Path) -> Ports | None:
    """Return what is kept; None where nothing is.

    Raises:
        DamagedError: It is damaged, or cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DamagedError(error.strerror) from error
    first, _line, rest = content.partition(b"\n")
    if first != _SUM + hashlib.sha256(rest).hexdigest().encode():
        raise DamagedError("its check sum is wrong")
    return _read(rest.partition(b"\n")[0])


def _read(line: bytes) -> Ports:
    """Read what a whole file says of itself: it may be a later version's."""
    try:
        about: dict[str, Any] = json.loads(line.removeprefix(b"# "))
        return Ports(tuple(about["services"]), about["page"], read_rows(about["ports"]))
    except (ValueError, TypeError, KeyError, BadRequestError) as error:
        raise DamagedError("it is none of this version's") from error
