"""The program of the unit `otppi-ppp@.service`: runs pppd as root, for the gateway, which is not.

`python -I -m otppi_internet_ppp.unit INSTANCE`, where systemd has made a folder for the instance (RuntimeDirectory=).
It says on the gateway's socket what pppd says, then its exit status; and ends pppd when that socket is closed, or at a
SIGTERM.
"""

import logging
import os
import pwd
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from otppi.api.errors import sentence
from otppi.api.internet import InternetDown
from otppi.kit.handed_over import BadRequestError, HandedOverFolder, handed_over
from otppi_internet_ppp.child import Programs, as_child
from otppi_internet_ppp.pppd import Pppd
from otppi_internet_ppp.request import LINES, LONGEST, REQUEST, Request, parse, serial_port

logger = logging.getLogger(__name__)

_USER = "otppi"
_INSTANCE = re.compile(r"[0-9a-f]{16}")
_LONGEST_LINE = 4096
_FAILED = 1


def _own_folder() -> Path:
    return Path(os.environ["RUNTIME_DIRECTORY"])


def _user() -> int:
    return pwd.getpwnam(_USER).pw_uid


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the program finds what it needs.

    Attributes:
        user: The gateway's user id.
        runtime: The gateway's folder below /run.
        own: The unit's own, which only root can read.
        programs: pppd and chat.
        port: Returns the path of a serial port, and raises BadRequestError for anything else.
    """

    user: int = field(default_factory=_user)
    runtime: Path = Path("/run/otppi")
    own: Path = field(default_factory=_own_folder)
    programs: Programs = field(default_factory=Programs)
    port: Callable[[str], str] = serial_port


def run(instance: str, surroundings: Surroundings) -> int:
    """Run pppd as the gateway asks for it, until it ends; return our exit status.

    Args:
        instance: Of the unit.
        surroundings: Where everything is.
    """
    try:
        with (
            handed_over(surroundings.runtime, _folder_of(instance), surroundings.user) as handed,
            handed.connect(LINES) as channel,
        ):
            return _answer(handed, channel, surroundings)
    except (BrokenPipeError, ConnectionResetError):
        logger.info("the gateway is gone: pppd was told to hang up")
        return 0
    except (BadRequestError, OSError) as error:
        logger.error("%s", _reason(error))  # noqa: TRY400 - the reason says it all
        return _FAILED


def _folder_of(instance: str) -> str:
    if not _INSTANCE.fullmatch(instance):
        raise BadRequestError("the instance is not one of the gateway's")
    return f"ppp-{instance}"


def _answer(handed: HandedOverFolder, channel: socket.socket, surroundings: Surroundings) -> int:
    """Do what is asked for, or say why not.

    Raises:
        OSError: The gateway does not listen any more.
    """
    try:
        request = _read(handed, surroundings)
        with as_child(
            request.dialling, request.settings, surroundings.own, surroundings.programs, privileged=True
        ) as pppd:
            _tell(channel, pppd)
    except (InternetDown, BadRequestError) as error:
        logger.error("%s", _reason(error))  # noqa: TRY400 - the reason says it all
        _say(channel, "refused", _reason(error))
        return _FAILED
    return 0


def _read(handed: HandedOverFolder, surroundings: Surroundings) -> Request:
    request = parse(handed.read(REQUEST, LONGEST))
    return replace(request, dialling=replace(request.dialling, port=surroundings.port(request.dialling.port)))


def _tell(channel: socket.socket, pppd: Pppd) -> None:
    """Tell the gateway what pppd says, and how it ended."""
    with _ending(channel, pppd):
        for line in pppd.lines():
            _say(channel, "line", line)
        _say(channel, "exit", str(pppd.exit_status()))


@contextmanager
def _ending(channel: socket.socket, pppd: Pppd) -> Iterator[None]:
    """Meanwhile end pppd when the gateway closes the connection, or systemd stops the unit (SIGTERM)."""

    def listen() -> None:
        with suppress(OSError):  # the same: nobody is there any more
            while channel.recv(1):
                pass  # the gateway has nothing to say
        pppd.hang_up()

    def stop(*_: object) -> None:
        with suppress(OSError):
            channel.shutdown(socket.SHUT_RD)

    listener = threading.Thread(target=listen, name="gateway", daemon=True)
    before = signal.signal(signal.SIGTERM, stop)
    listener.start()
    try:
        yield
    finally:
        stop()
        listener.join()
        signal.signal(signal.SIGTERM, before)


def _say(channel: socket.socket, kind: str, text: str) -> None:
    one = " ".join(text.split())[:_LONGEST_LINE]
    channel.sendall(f"{kind} {one}\n".encode(errors="replace"))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, BadRequestError) else sentence(error)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(run(sys.argv[1] if len(sys.argv) > 1 else "", Surroundings()))
