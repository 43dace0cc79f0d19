"""The programs that a benchmark starts: each in a process of its own, and ended by its id whatever happens."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Root of the repository: where the programs run, so that they find `tests.benchmark`."""
PATIENCE = 120.0
"""Seconds for what is not measured itself: a benchmark on a busy machine comes to its end."""
_TO_END = 10.0


class BenchmarkError(Exception):
    """A case cannot be measured; the text says why."""


class Program:
    """A process and the file that has what it said. `end` is safe to call twice."""

    def __init__(self, command: Sequence[str], said: Path, environment: dict[str, str] | None = None) -> None:
        self.said = said
        with said.open("ab") as output:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=ROOT,
            )

    def stand_in_for_hardware(self) -> None:
        """Let it go before everything else whenever it has something to do, where that is allowed (root): a modem does
        not compete with the gateway for the processor. Threads that it starts from now on do so, too."""
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(self.pid, os.SCHED_FIFO, os.sched_param(1))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End it with SIGTERM, or SIGKILL where that takes too long."""
        if self.ended:
            return
        self._process.terminate()
        try:
            self._process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """Return the end of what it said, for an error."""
        return self.said.read_text(encoding="utf-8", errors="replace")[-1500:].strip()


def wait_until(done: Callable[[], bool], what: str, timeout: float, step: float = 0.02) -> None:
    """Wait for a condition of another process.

    Raises:
        BenchmarkError: `timeout` seconds went by.
    """
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{what} took more than {timeout:g} s")
        time.sleep(step)


@contextmanager
def scratch(*, in_ram: bool = True) -> Iterator[Path]:
    """Return a folder for the time of a block: on the RAM disk where there is one, or on the disk that /tmp is on."""
    ram = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own is made there
    with tempfile.TemporaryDirectory(prefix="otppi-benchmark-", dir=ram if in_ram and ram.is_dir() else None) as name:
        yield Path(name)


def listens(port: int) -> bool:
    """Whether somebody listens on a TCP port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
