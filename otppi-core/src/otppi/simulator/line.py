"""Owns a pty that plays a serial port: the end that the rack serves, and the link by which it is opened."""

import contextlib
import os
import termios
import tty
from pathlib import Path

from otppi.simulator.profile import PortKind

_CHUNK = 4096
_SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}
_MAX_BACKLOG = 256 * 1024


class PtyLine:
    """An open pty: the master end that we serve, and one slave end, lest reads fail while nobody else has it open."""

    def __init__(self, link: Path, kind: PortKind = PortKind.AT_URC) -> None:
        self.link = link
        self.kind = kind
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self._backlog = bytearray()
        # The link appears in one step, so that whoever waits for it finds a port that works.
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(link)

    @property
    def full(self) -> bool:
        """Whether bytes wait until the other end reads."""
        return bool(self._backlog)

    @property
    def speed(self) -> int | None:
        """The speed in bit/s that the other end has set."""
        return _SPEEDS.get(termios.tcgetattr(self.master)[5])

    def read(self) -> bytes:
        """Read what was written to the port."""
        try:
            return os.read(self.master, _CHUNK)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Write what fits and keep the rest; what nobody reads for long is lost, as on a serial line."""
        self._backlog += data[: _MAX_BACKLOG - len(self._backlog)]
        with contextlib.suppress(BlockingIOError):
            del self._backlog[: os.write(self.master, self._backlog)]

    def close(self) -> None:
        """Take the port away."""
        self.link.unlink(missing_ok=True)
        os.close(self.master)
        os.close(self._slave)
