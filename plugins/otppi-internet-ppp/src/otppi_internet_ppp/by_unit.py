"""pppd run by a unit of the system, as root: the gateway asks for it, and hears what it says over a socket.

The request is a file, and the socket is beside it, both where only this user and root can get. The program of the unit
is `otppi_internet_ppp.unit`. It ends pppd when nobody listens any more, so that a gateway that dies hangs up, too; and
when it dies itself, the end of its connection tells.
"""

import logging
import os
import select
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from otppi.api.errors import sentence
from otppi.api.internet import Dialling, InternetDown
from otppi.kit import system_units
from otppi.kit.net.wake import Wake
from otppi_internet_ppp.chat import chat_script
from otppi_internet_ppp.child import Programs
from otppi_internet_ppp.files import write
from otppi_internet_ppp.options import ppp_options
from otppi_internet_ppp.pppd import Pppd
from otppi_internet_ppp.request import LINES, REQUEST, Request
from otppi_internet_ppp.text import _

logger = logging.getLogger(__name__)

_CONNECTS = 60.0
"""Seconds in which the program of the unit connects: it is Python that starts, on a computer that may have just begun
to run itself."""
_STOPS = 20.0
"""Seconds; systemd kills what has not ended after the TimeoutStopSec of the unit, which is shorter."""


@contextmanager
def by_unit(
    dialling: Dialling, *, settings: Mapping[str, Any], folder: Path, instance: str, programs: Programs
) -> Iterator[Pppd]:
    """Have a unit of the system run pppd.

    Args:
        dialling: What is dialled.
        settings: The section `internet`.
        folder: On a RAM disk; made for what only we and root can read, and taken away in the end.
        instance: Of the unit: 16 hexadecimal digits.
        programs: Where pppd is.

    Raises:
        InternetDown: It cannot be started; the sentence says why.
    """
    _, chat = programs.find()
    # The unit's program does not take our word for it, but here it is told in words what cannot be used.
    chat_script(dialling, settings["dial_timeout"])
    ppp_options(dialling, settings, chat=chat, script=folder, privileged=True)
    unit = f"otppi-ppp@{instance}.service"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with _listening(folder) as listener:
            write(folder / REQUEST, Request(dialling, settings).document().decode())
            # A gateway that was killed may have left one that is about to end: it would not start anew.
            system_units.stop(unit, _STOPS)
            system_units.start(unit)
            pppd = _UnitPppd(unit, listener)
            try:
                yield pppd
            finally:
                pppd.hang_up()
    except system_units.UnitError as error:
        raise InternetDown(sentence(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _UnitPppd(Pppd):
    """See `otppi_internet_ppp.pppd.Pppd` for the contract.

    Args:
        unit: Its name.
        listener: Where the program of the unit connects.
    """

    def __init__(self, unit: str, listener: socket.socket) -> None:
        self._unit = unit
        self._listener = listener
        self._wake = Wake()
        self._channel: socket.socket | None = None
        self._hung_up = False
        self._exit_status: int | None = None

    def lines(self) -> Iterator[str]:
        """Return what it says."""
        channel = self._channel = self._accepted()
        if channel is None:
            return
        with channel, channel.makefile("r", encoding="utf-8", errors="replace") as said:
            if self._hung_up:  # while it connected; closing the connection hangs up, should systemd not
                return
            for one in said:
                kind, _space, text = one.rstrip("\n").partition(" ")
                if kind == "line":
                    yield text
                elif kind == "exit":
                    self._exit_status = int(text)
                else:
                    raise InternetDown(_("{unit} does not do it: {reason}", unit=self._unit, reason=text))

    def exit_status(self) -> int:
        """Return its exit status."""
        if self._exit_status is None:
            raise InternetDown(_("{unit} has ended in the middle: its log says why", unit=self._unit))
        return self._exit_status

    def hang_up(self) -> None:
        """Have the unit stopped; where that cannot be, hang up on its program, which then does the same."""
        self._hung_up = True
        self._wake.set()
        try:
            system_units.stop(self._unit, _STOPS)
        except system_units.UnitError as error:
            logger.warning("%s", error)
            channel = self._channel
            if channel is not None:
                with suppress(OSError):  # it has ended meanwhile
                    channel.shutdown(socket.SHUT_RDWR)

    def _accepted(self) -> socket.socket | None:
        """Wait for the program of the unit; None where it was hung up before that came."""
        came = self._wake.wait(_CONNECTS, {self._listener.fileno(): select.POLLIN})
        if self._hung_up:
            return None
        if not came:
            raise InternetDown(_("{unit} was started, and says nothing: its log says why", unit=self._unit))
        channel, _address = self._listener.accept()
        channel.setblocking(True)
        return channel


@contextmanager
def _listening(folder: Path) -> Iterator[socket.socket]:
    """Listen in a folder that only this user and root can enter.

    Its socket may be written by all: root has no more right to it there than others, where the unit has no capability.
    """
    (folder / LINES).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # The path of a socket has at most 107 octets (unix(7)), and that of the folder may be longer.
            listener.bind(f"/proc/self/fd/{descriptor}/{LINES}")
        finally:
            os.close(descriptor)
        (folder / LINES).chmod(0o666)
        listener.setblocking(False)
        listener.listen(1)
        yield listener
