"""One modem's connection: starts pppd, watches it, starts it again."""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from otppi.api.errors import sentence
from otppi.api.internet import Dialling, Internet, InternetContext, InternetDown, InternetState, InternetStatus
from otppi.kit.net.back_off import Backoff
from otppi_internet_ppp.chat import chat_script, refusal
from otppi_internet_ppp.log import cause_of, complaint, heard
from otppi_internet_ppp.options import ppp_options
from otppi_internet_ppp.text import _

logger = logging.getLogger(__name__)

_STEADY = 60.0
"""A connection that lasted so long is dialled again at once."""
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


class PppLink(Internet):
    """See `otppi.api.internet.Internet` for the contract."""

    def __init__(self, context: InternetContext, programs: Programs | None = None) -> None:
        self._context = context
        self._programs = programs or Programs()
        self._backoff = Backoff(2.0, 300.0)
        self._stopping = threading.Event()
        self._process_lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._status = InternetStatus(InternetState.STOPPED, time.time())

    def status(self) -> InternetStatus:
        """Return how far it is."""
        return self._status

    def run(self) -> None:
        """Keep the connection up until `stop`."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connect()
            except (InternetDown, OSError) as error:
                cause = sentence(error)
            if time.monotonic() - began > _STEADY:
                self._backoff.reset()
            if not self._stopping.is_set():
                delay = self._backoff.delay()
                self._tell(InternetState.WAITING, cause)
                logger.warning("internet by %s: %s; next attempt in %.0f s", self._context.modem, cause, delay)
                self._stopping.wait(delay)
        self._tell(InternetState.STOPPED, "")

    def stop(self) -> None:
        """Hang up."""
        self._stopping.set()
        with self._process_lock:
            process = self._process
            if process is not None:
                process.terminate()
        if process is not None:
            try:
                process.wait(_HANG_UP)
            except subprocess.TimeoutExpired:
                process.kill()

    def _connect(self) -> NoReturn:
        """Dial, and wait until the connection ends.

        Raises:
            InternetDown: Always; it says why.
        """
        self._status = InternetStatus(
            InternetState.DIALLING, time.time(), detail=self._status.detail, attempts=self._status.attempts + 1
        )
        dialling = self._context.dialling()
        self._status = replace(self._status, port=dialling.port)
        pppd, chat = self._programs.find()
        with _claimed(dialling.port), self._files(dialling, chat) as options:
            raise InternetDown(self._watch([pppd, "file", str(options)]))

    def _watch(self, command: list[str]) -> str:
        """Run pppd and read what it says; return the cause of its end."""
        cause = ""
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            with self._process_lock:
                self._process = process
                if self._stopping.is_set():
                    process.terminate()
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            for line in process.stdout:
                cause = refusal(line) or complaint(line) or cause
                self._status = heard(self._status, line, time.time())
        with self._process_lock:
            self._process = None
        return cause or cause_of(process.returncode)

    @contextmanager
    def _files(self, dialling: Dialling, chat: str) -> Iterator[Path]:
        """Write script and options where only we can read them, on the RAM disk; they are gone when pppd is."""
        digest = hashlib.sha256(self._context.modem.encode()).hexdigest()[:16]
        folder = self._context.boot_folder / f"ppp-{digest}"
        folder.mkdir(mode=0o700, exist_ok=True)
        script, options = folder / "chat", folder / "options"
        settings = self._context.settings
        try:
            _write(script, chat_script(dialling, settings["dial_timeout"]))
            _write(
                options,
                ppp_options(dialling, settings, chat=chat, script=script, privileged=os.getuid() == 0),
            )
            yield options
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _tell(self, state: InternetState, detail: str) -> None:
        before = self._status
        self._status = InternetStatus(state, time.time(), before.port, detail=detail, attempts=before.attempts)


@contextmanager
def _claimed(port: str) -> Iterator[None]:
    """Lock a port as the drivers of modems do, so that neither takes it from the other.

    Raises:
        InternetDown: It is not there, or somebody else has locked it.
    """
    try:
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InternetDown(sentence(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InternetDown(_("{port} is used: it sends SMS, or another program has it", port=port)) from error
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
