"""The ways into a virtual machine that its image knows nothing of: a root shell, and QEMU's own (QMP)."""

import base64
import itertools
import json
import re
import socket
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.testing.waiting import PATIENCE, until

_PIECE = 900
"""Octets of a command in one line: a terminal takes 4095 at most (termios(3), canonical mode)."""
_READ = 65_536
_QUIET = "stty -echo -onlcr; PS1= PS2=; export SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 TERM=dumb LC_ALL=C.UTF-8"


def connected(path: Path) -> socket.socket:
    """Connect to a socket of QEMU's.

    Raises:
        OSError: Nobody listens there.
    """
    one = socket.socket(socket.AF_UNIX)
    try:
        one.connect(str(path))
    except OSError:
        one.close()
        raise
    return one


@dataclass(frozen=True, slots=True)
class Done:
    """A command of the guest that has ended: its exit code, and what it printed on both ways out."""

    code: int
    output: str


class Shell:
    """The root shell that systemd opens on a virtual console because the kernel's command line says so.

    Args:
        path: QEMU's socket of the console, which takes one client.
    """

    def __init__(self, path: Path) -> None:
        self._socket = connected(path)
        self._marks = itertools.count()

    def ready(self, seconds: float) -> None:
        """Wait until the shell answers, and have it say nothing of its own; what it was at is ended.

        Raises:
            AssertionError: It does not answer in time.
        """
        mark = self._mark()

        def answers() -> bool:
            self._socket.sendall(f"\x03\n{_QUIET}; echo {_hidden(mark)}\n".encode())
            return self._until(mark.encode() + rb"\r?\n", 5)[1] is not None

        until(answers, "the guest's shell answers", seconds)
        self._until(rb"(?!)", 0.2)  # answers to the questions before, which nothing is to match

    def run(self, command: str, seconds: float = PATIENCE) -> Done:
        """Run a command of bash, with nothing to read and no terminal.

        Raises:
            TimeoutError: With what was printed so far; the command is ended.
        """
        mark = self._mark()
        text = base64.b64encode(command.encode()).decode()
        lines = ["rm -f /run/command"]
        lines += [f"printf %s {text[at : at + _PIECE]} >>/run/command" for at in range(0, len(text), _PIECE)]
        lines += ["base64 -d /run/command >/run/command.sh"]
        lines += [
            f"bash /run/command.sh </dev/null >/run/told 2>&1; code=$?; cat /run/told; echo {_hidden(mark)} $code"
        ]
        for line in lines:
            self._socket.sendall(f"{line}\n".encode())
        got, found = self._until(mark.encode() + rb" (\d+)\r?\n", seconds)
        if not found:
            self.ready(PATIENCE)
            raise TimeoutError(f"not within {seconds:g} s: {command}\n{self.run('tail -c 4000 /run/told').output}")
        return Done(int(found[1]), got[: found.start()].decode(errors="replace").replace("\r", ""))

    def _mark(self) -> str:
        return f"E{time.monotonic_ns()}-{next(self._marks)}"

    def _until(self, pattern: bytes, seconds: float) -> tuple[bytes, re.Match[bytes] | None]:
        got, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                piece = self._socket.recv(_READ)
            except TimeoutError:
                break
            assert piece, "the machine has ended"
            got += piece
            if found := re.search(pattern, got):
                return got, found
        return got, None

    def close(self) -> None:
        """Leave the shell as it is."""
        self._socket.close()


def _hidden(mark: str) -> str:
    """Write a mark for the shell so that the terminal's echo is not taken for it."""
    return f"{mark[:1]}''{mark[1:]}"


class Qmp:
    """QEMU's monitor (QEMU Machine Protocol): one command at a time, and the events between.

    Args:
        path: Its socket.
    """

    def __init__(self, path: Path) -> None:
        self._socket = connected(path)
        self._events: deque[dict[str, Any]] = deque(maxlen=1_000)
        self._rest = b""
        self._next(PATIENCE)  # its greeting
        self.command("qmp_capabilities")

    def command(self, name: str, seconds: float = PATIENCE, /, **arguments: Any) -> Any:
        """Carry a command out and return its answer.

        Raises:
            AssertionError: QEMU refuses it.
            TimeoutError: There is no answer.
        """
        ask = {"execute": name, "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}}
        self._socket.sendall(json.dumps(ask).encode() + b"\n")
        while "event" in (answer := self._next(seconds)):
            self._events.append(answer)
        assert "error" not in answer, f"{ask}: {answer['error']}"
        return answer["return"]

    def monitor(self, line: str, seconds: float = PATIENCE) -> None:
        """Carry out a line of the monitor for people, which prints only what is wrong.

        Raises:
            AssertionError: Something is.
        """
        told = self.command("human-monitor-command", seconds, command_line=line)
        assert not told.strip(), f"{line}: {told}"

    def wait_for(self, event: str, seconds: float = PATIENCE, **data: Any) -> dict[str, Any]:
        """Wait for an event with this data among its own, also one that came before.

        Raises:
            TimeoutError: It did not come.
        """
        while True:
            while self._events:
                one = self._events.popleft()
                if one["event"] == event and data.items() <= one.get("data", {}).items():
                    return one
            self._events.append(self._next(seconds))

    def forget(self) -> None:
        """Forget the events so far."""
        self._events.clear()

    def _next(self, seconds: float) -> dict[str, Any]:
        self._socket.settimeout(seconds)
        while b"\n" not in self._rest:
            piece = self._socket.recv(_READ)
            assert piece, "the machine has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Leave the machine as it is."""
        self._socket.close()
