"""The program of `otppi-dhcp-apply.service`: tries, keeps and drops the DHCP server's values as root, for the gateway.

`python -I -m otppi_network_dhcp.unit` does what the gateway has handed over; with `drop`, as `otppi-dhcp-end.service`
does at the end of a trial's time, it brings back what is kept.
"""

import logging
import math
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from otppi.kit.files import as_json
from otppi.kit.handed_over import BadRequestError
from otppi_network_dhcp.configuration import configuration, in_use
from otppi_network_dhcp.render import DhcpFiles, write_for_all
from otppi_network_dhcp.request import BAD, BUSY, DROP, KEEP, OVER, TRY, read_request

logger = logging.getLogger(__name__)

_USER: Final = "otppi"
_SERVER: Final = "otppi-dhcp.service"
_END: Final = "otppi-dhcp-end"
_FAILED: Final = 1
_NOT_LOADED: Final = 5


def _user() -> int:
    return pwd.getpwnam(_USER).pw_uid


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the program finds what it needs.

    Attributes:
        user: The gateway's user id.
        files: The DHCP server's files.
    """

    user: int = field(default_factory=_user)
    files: DhcpFiles = field(default_factory=DhcpFiles)

    @property
    def runtime(self) -> Path:
        """The gateway's folder below /run."""
        return self.files.root / "run/otppi"


def try_values(files: DhcpFiles, values: Mapping[str, Any], seconds: float) -> int:
    """Use values for so many seconds, and return an exit status.

    Raises:
        subprocess.CalledProcessError: They cannot be used; what is kept is.
    """
    if files.on_trial() is not None:
        return BUSY
    _check(files, values)
    files.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    until = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds
    # First the end, then what is ended by it.
    _stop_timer()
    timer = (f"--on-active={math.ceil(seconds)}s", "--timer-property=AccuracySec=100ms", f"--unit={_END}")
    _run("systemd-run", "--quiet", "--collect", *timer)
    write_for_all(files.trial, as_json({"values": dict(values), "until": until}))
    try:
        _run("systemctl", "restart", _SERVER)
    except subprocess.CalledProcessError:
        drop(files)
        raise
    return 0


def keep(files: DhcpFiles) -> int:
    """Keep the values on trial, and return an exit status.

    Raises:
        OSError: They cannot be written.
    """
    values = files.on_trial()
    if values is None:
        drop(files)
        return OVER
    files.kept.parent.mkdir(parents=True, exist_ok=True)
    write_for_all(files.kept, as_json(dict(values)))
    files.trial.unlink()
    _stop_timer()
    return 0


def drop(files: DhcpFiles) -> int:
    """Use what is kept, and return an exit status. What is in use already stays so, but for who joins meanwhile."""
    files.trial.unlink(missing_ok=True)
    _run("systemctl", "restart", _SERVER)
    _stop_timer()
    return 0


def _stop_timer() -> None:
    """End the timer, where there is one: systemctl(1) ends with 5 where the unit is not loaded."""
    done = subprocess.run(["systemctl", "stop", f"{_END}.timer"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode not in (0, _NOT_LOADED):
        raise subprocess.CalledProcessError(done.returncode, done.args)


def _check(files: DhcpFiles, values: Mapping[str, Any]) -> None:
    """Ask dnsmasq whether it would start."""
    own = files.own()
    with tempfile.NamedTemporaryFile("w", prefix="otppi-dhcp-") as file:
        file.write(configuration(in_use(values, own), own, portal=False))
        file.flush()
        _run("dnsmasq", "--test", f"--conf-file={file.name}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def main(arguments: Sequence[str], surroundings: Surroundings | None = None) -> int:
    """Do what was asked for, and return the exit status."""
    os.umask(0o022)
    around = surroundings or Surroundings()
    files = around.files
    try:
        if list(arguments) == [DROP]:
            return drop(files)
        request = read_request(around.runtime, around.user)
        if request.verb == TRY:
            return try_values(files, request.values, request.seconds)
        return keep(files) if request.verb == KEEP else drop(files)
    except BadRequestError as error:
        logger.error("what was handed over is refused: %s", error)  # noqa: TRY400 - nothing of it is to be in the log
        return BAD
    except (OSError, subprocess.CalledProcessError):
        logger.exception("it could not be done")
        return _FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
