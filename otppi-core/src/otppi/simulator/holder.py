"""Owns a program that holds a simulated modem's port: a real process, as ModemManager would be (modems.md 26)."""

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
with open("/proc/self/comm", "w") as name:
    name.write(sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


class PortHolder:
    """Holds a port, which nobody has yet, from now on until `close`.

    Args:
        path: the port.
        name: what the program is called.

    Attributes:
        pid: the number of its process.
    """

    def __init__(self, path: Path, name: str = "ModemManager") -> None:
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(path), name]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        assert self._process.stdout  # noqa: S101 - piped
        self._process.stdout.readline()

    def close(self) -> None:
        """End the program."""
        self._process.communicate()  # the end of its input is what it waits for
