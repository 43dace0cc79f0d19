"""The program of the unit `otppi-firewall.service`: loads the table that the gateway asks for, as root.

`python -I -m otppi_firewall_nftables.unit`. What was kept stays in use where anything is wrong; why is in the log.
"""

import logging
import pwd
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from otppi.api.errors import sentence
from otppi.kit.files import new_name
from otppi.kit.handed_over import BadRequestError, NothingHandedOverError, handed_over
from otppi_firewall_nftables.kept import KEPT, DamagedError, read_kept, write_kept
from otppi_firewall_nftables.ports import BUILT_IN, Ports
from otppi_firewall_nftables.request import (
    LONGEST,
    PORTS,
    PORTS_FOLDER,
    SERVICES,
    SERVICES_FOLDER,
    Asked,
    Services,
    read_asked,
    read_services,
)
from otppi_firewall_nftables.state import LOADED, LOADED_KEPT, STATE, TOLD, State, digest
from otppi_firewall_nftables.table import table

logger = logging.getLogger(__name__)

_USER = "otppi"
_NFT = "/usr/sbin/nft"
_FAILED = 1
_FOR_ALL = 0o644


class NotLoadedError(Exception):
    """nft refuses a table."""


def _user() -> int:
    return pwd.getpwnam(_USER).pw_uid


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the program finds what it needs.

    Attributes:
        user: The gateway's user id.
        runtime: The gateway's folder below /run.
        kept: The file with what is kept.
        told: The unit's own folder, in which it tells the gateway what it has done.
        nft: The program.
    """

    user: int = field(default_factory=_user)
    runtime: Path = Path("/run/otppi")
    kept: Path = KEPT
    told: Path = TOLD
    nft: str = _NFT


@dataclass(frozen=True, slots=True)
class _HandedOver:
    """Both documents of the gateway, read; None where there is none."""

    services: Services | None
    asked: Asked | None
    state: State


def run(surroundings: Surroundings) -> int:
    """Load and keep what the gateway asks for; return our exit status."""
    try:
        handed = _read(surroundings)
        before = _kept(surroundings)
        after = _ports(before or BUILT_IN, handed)
        trial, seconds = _trial(after, handed.asked)
        _load(after, trial, seconds, before, surroundings)
        _tell(handed.state, trial, handed.asked, surroundings)
    except (BadRequestError, NotLoadedError) as error:
        logger.error("nothing is changed: %s", error)  # noqa: TRY400 - the reason says it all
        return _FAILED
    except OSError as error:
        logger.error("nothing is kept: %s", sentence(error))  # noqa: TRY400 - as before
        return _FAILED
    return 0


def _read(surroundings: Surroundings) -> _HandedOver:
    services = _find(surroundings, SERVICES_FOLDER, SERVICES)
    asked = _find(surroundings, PORTS_FOLDER, PORTS)
    return _HandedOver(
        None if services is None else read_services(services),
        None if asked is None else read_asked(asked, time.clock_gettime(time.CLOCK_BOOTTIME)),
        State(digest(services), digest(asked)),
    )


def _find(surroundings: Surroundings, folder: str, name: str) -> bytes | None:
    try:
        with handed_over(surroundings.runtime, folder, surroundings.user) as handed:
            return handed.find(name, LONGEST)
    except NothingHandedOverError:
        return None


def _kept(surroundings: Surroundings) -> Ports | None:
    try:
        return read_kept(surroundings.kept)
    except DamagedError as error:
        logger.warning("what was kept is damaged (%s): it is made anew from what the device comes with", error)
        return None


def _ports(kept: Ports, handed: _HandedOver) -> Ports:
    """Return what is to be kept."""
    if handed.services is not None:
        kept = replace(kept, services=handed.services.ports, page=handed.services.page)
    if handed.asked is not None and handed.asked.expires is None:
        kept = replace(kept, rows=handed.asked.rows)
    return kept


def _trial(kept: Ports, asked: Asked | None) -> tuple[Ports | None, float]:
    """Return what is on trial, and for how many seconds more; None where nothing is, or where that is over."""
    if asked is None or asked.expires is None:
        return None, 0.0
    seconds = asked.expires - time.clock_gettime(time.CLOCK_BOOTTIME)
    return (replace(kept, rows=asked.rows), seconds) if seconds > 0 else (None, 0.0)


def _load(after: Ports, trial: Ports | None, seconds: float, before: Ports | None, surroundings: Surroundings) -> None:
    """Check a table, keep what of it is to be kept, and load it.

    Raises:
        NotLoadedError: nft refuses it; what was kept stays.
        OSError: It cannot be kept; nothing is loaded.
    """
    text = table(after, trial, seconds)
    _nft(surroundings, text, "--check")
    if after != before:
        write_kept(surroundings.kept, after)
    try:
        _nft(surroundings, text)
    except NotLoadedError:
        if before is not None and after != before:
            write_kept(surroundings.kept, before)
        raise


def _nft(surroundings: Surroundings, text: str, *options: str) -> None:
    command = [surroundings.nft, *options, "--file", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise NotLoadedError(f"nft refuses the table: {done.stderr.strip()[:500]}")


def _tell(state: State, trial: Ports | None, asked: Asked | None, surroundings: Surroundings) -> None:
    """Tell the gateway what was done; that what was kept was damaged is over when a person has kept it anew."""
    if asked is not None and asked.expires is None:
        _write_for_all(surroundings.told / LOADED, LOADED_KEPT.encode())
    if trial is not None and asked is not None and asked.expires is not None:
        state = replace(state, trial=asked.rows, expires=asked.expires)
    _write_for_all(surroundings.told / STATE, state.document())


def _write_for_all(path: Path, content: bytes) -> None:
    new = new_name(path)
    new.write_bytes(content)
    new.chmod(_FOR_ALL)
    new.replace(path)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(run(Surroundings()))
