"""The peer: a rack of simulated modems in a process of its own, and its log of every dialogue."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmark.processes import PATIENCE, BenchmarkError, Program, scratch, wait_until

COMMAND_TIME = 0.002
"""Seconds that the peer takes for a command, as the specification's section 10 says."""
_SPIN = 0.0002
"""Seconds that the peer polls before an answer is due: a sleep may end too late."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One AT+CMGS dialogue as the peer saw it; times are seconds of the clock that all processes share."""

    modem: str
    first_byte: float
    ctrl_z: float
    answered: float
    result: str
    destination: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the network took the message and said so."""
        return self.result.startswith("+CMGS")


class Peer:
    """A running rack: its ports, its log, and its control socket."""

    def __init__(self, program: Program, folder: Path, count: int) -> None:
        self.ports = [folder / f"modem{number}" for number in range(count)]
        self._program = program
        self._control = folder / "control"
        self._log = (folder / "log").open("rb")
        self._unfinished = b""
        self._dialogues: list[Dialogue] = []
        wait_until(self._ready, "the start of the peer", 15)

    def _ready(self) -> bool:
        if self._program.ended:
            raise BenchmarkError(f"the peer ended: {self._program.last_words()}")
        return b'"ready": true' in self._program.said.read_bytes()

    def control(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have a command carried out; see `otppi.testing.rack.control`.

        Raises:
            BenchmarkError: it was refused.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(str(self._control))
            sock.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(sock.makefile("rb").readline())
        if not answer["ok"]:
            raise BenchmarkError(f"the peer refused {do}: {answer['error']}")
        return answer

    def dialogues(self) -> list[Dialogue]:
        """Read all dialogues so far, in the order in which they ended."""
        *lines, self._unfinished = (self._unfinished + self._log.read()).split(b"\n")
        for line in lines:
            entry = json.loads(line)
            entry.pop("sha256", None)
            self._dialogues.append(Dialogue(**entry))
        return self._dialogues

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[Dialogue]:
        """Wait until there were `count` dialogues since the start, and give all of them."""
        wait_until(lambda: len(self.dialogues()) >= count, f"{count} dialogues", timeout, step=0.05)
        return self.dialogues()

    def close(self) -> None:
        """End the process."""
        self._program.end()
        self._log.close()


@contextmanager
def peer(count: int = 1, network_time: float = 0.0) -> Iterator[Peer]:
    """Run a rack of `count` modems for the time of a block; `network_time` in seconds."""
    with scratch() as folder:
        (folder / "log").touch()
        program = Program(
            [
                *(sys.executable, "-m", "otppi.testing.rack", "--no-stdin"),
                *("--count", str(count), "--dir", str(folder), "--spin", str(_SPIN)),
                *("--command-time", str(COMMAND_TIME), "--network-time", str(network_time)),
                *("--log", str(folder / "log"), "--control", str(folder / "control")),
            ],
            folder / "said",
        )
        program.stand_in_for_hardware()
        try:
            running = Peer(program, folder, count)
            try:
                yield running
            finally:
                running.close()
        finally:
            program.end()
