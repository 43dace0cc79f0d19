"""A server as a child process: started, found ready, paused, killed and started again on the same ports."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from otppi.testing.waiting import PATIENCE


class ServerProcess(ABC):
    """One server. `folder` is its own: configuration, data and log are there.

    Args:
        folder: Made if it is not there.
        within: What its command line starts with, such as `("ip", "netns", "exec", "broker")`.
    """

    def __init__(self, folder: Path, within: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "log"
        self._within = tuple(within)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return the command line."""

    @abstractmethod
    def _ready(self) -> bool:
        """Return whether it serves; asked again and again, may raise OSError."""

    def _environment(self) -> Mapping[str, str]:
        """Return what its environment has beside that of this process."""
        return {}

    def start(self) -> Self:
        """Start it, and wait until it serves."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._within, *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self._environment(),
                cwd=self.folder,
                start_new_session=True,  # its helpers are signalled with it
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{type(self).__name__} did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)  # it has no way to say that it is ready
        return self

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self._ready()
        return False

    def kill(self) -> None:
        """End it with SIGKILL, with all of its helpers."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in its own way."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it stand still: its connections stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._signal(number)
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait(PATIENCE)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody takes connections on a port."""
    with socket.create_connection((host, port), timeout=1):
        return True
