"""pppd as a child process, with its options and its script in files that are there while it runs."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.api.internet import Dialling, InternetDown
from otppi_internet_ppp.chat import chat_script
from otppi_internet_ppp.files import write
from otppi_internet_ppp.options import ppp_options
from otppi_internet_ppp.pppd import Pppd
from otppi_internet_ppp.text import _

_HANG_UP = 10.0
"""Seconds that pppd may take to hang up."""
_SYSTEM = "/usr/sbin:/sbin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class Programs:
    """What is needed of the system; `device` is there where the kernel has PPP."""

    pppd: str = "pppd"
    chat: str = "chat"
    device: Path = Path("/dev/ppp")

    def find(self) -> tuple[str, str]:
        """Return the paths of pppd and chat.

        Raises:
            InternetDown: Something is not there.
        """
        pppd, chat = (shutil.which(name, path=_SYSTEM) for name in (self.pppd, self.chat))
        if pppd is None or chat is None:
            raise InternetDown(_("pppd and chat are not installed (the package ppp)"))
        if not self.device.exists():
            raise InternetDown(_("this kernel has no PPP (there is no {device})", device=self.device))
        return pppd, chat


@contextmanager
def as_child(
    dialling: Dialling, settings: Mapping[str, Any], folder: Path, programs: Programs, *, privileged: bool
) -> Iterator[Pppd]:
    """Run pppd as a child process.

    Args:
        dialling: What is dialled.
        settings: The section `internet`.
        folder: On a RAM disk; made for what only we can read, and taken away in the end.
        programs: Where pppd is.
        privileged: Whether we are root (`ppp_options`).

    Raises:
        InternetDown: It cannot be started; the sentence says why.
    """
    pppd, chat = programs.find()
    folder.mkdir(mode=0o700, exist_ok=True)
    script, options = folder / "chat", folder / "options"
    try:
        write(script, chat_script(dialling, settings["dial_timeout"]))
        write(options, ppp_options(dialling, settings, chat=chat, script=script, privileged=privileged))
        with subprocess.Popen(
            [pppd, "file", str(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            child = _Child(process)
            try:
                yield child
            finally:
                child.hang_up()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Child(Pppd):
    """See `otppi_internet_ppp.pppd.Pppd` for the contract."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def lines(self) -> Iterator[str]:
        """Return what it says."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        return iter(self._process.stdout)

    def exit_status(self) -> int:
        """Return its exit status."""
        return self._process.wait()

    def hang_up(self) -> None:
        """End it: it hangs up at a SIGTERM."""
        self._process.terminate()
        try:
            self._process.wait(_HANG_UP)
        except subprocess.TimeoutExpired:
            self._process.kill()
