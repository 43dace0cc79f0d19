"""Room for the journal's newest lines that is there however full the RAM disk is: a ring, taken at the start."""

import logging
import os
import struct
from pathlib import Path

from otppi.text import _

logger = logging.getLogger(__name__)

_HEAD = struct.Struct(">QQ")
"""Which file the lines go on from (its inode), and how many bytes of them were written so far."""
_SIZE = 256 * 1024
"""About 1,700 lines: the last 600 messages, and those that are with a modem in any case."""


class Spare:
    """A file of a fixed size whose blocks were given to it when nothing was full. Not thread-safe: the journal locks.

    When the ring is full the oldest lines go. It belongs to one journal, which it continues; to a later one it says
    nothing. Where there was no room for the ring itself, `add` fails and `left_over` cannot tell what is missing.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._written = 0
        self._journal = 0
        self._anew = False
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            logger.error("there is no room in reserve for the journal: %s", error.strerror)  # noqa: TRY400
            return
        try:
            self._anew = os.fstat(descriptor).st_size < _HEAD.size + _SIZE
            os.posix_fallocate(descriptor, 0, _HEAD.size + _SIZE)
            self._journal, self._written = _HEAD.unpack(os.pread(descriptor, _HEAD.size, 0))
        except OSError as error:
            logger.error("there is no room in reserve for the journal: %s", error.strerror)  # noqa: TRY400
            os.close(descriptor)
            path.unlink(missing_ok=True)
            self._anew = True
        else:
            self._descriptor = descriptor

    def continues(self, journal: int) -> bool:
        """Whether there are lines that go on from a journal."""
        return self._journal == journal and self._written > 0

    def begin(self, journal: int) -> None:
        """Forget the lines; those that come go on from this journal.

        Raises:
            OSError: It cannot be written.
        """
        self._journal, self._written, self._anew = journal, 0, False
        if self._descriptor >= 0:
            os.pwrite(self._descriptor, _HEAD.pack(journal, 0), 0)

    def add(self, lines: bytes) -> None:
        """Add whole lines.

        Raises:
            OSError: There is no ring, or it cannot be written.
        """
        if self._descriptor < 0:
            raise OSError(_("there is no room in reserve"))
        place = self._written % _SIZE
        first = lines[: _SIZE - place]
        os.pwrite(self._descriptor, first, _HEAD.size + place)
        if len(first) < len(lines):
            os.pwrite(self._descriptor, lines[len(first) :], _HEAD.size)
        # Last: what a kill interrupts was not written.
        self._written += len(lines)
        os.pwrite(self._descriptor, _HEAD.pack(self._journal, self._written), 0)

    def left_over(self, journal: int) -> tuple[bytes, bool]:
        """Return the lines that go on from a journal, and whether older ones are missing, or may be."""
        if self._descriptor < 0:
            return b"", True
        if not self.continues(journal):
            return b"", self._anew
        ring = os.pread(self._descriptor, _SIZE, _HEAD.size)
        if self._written <= _SIZE:
            return ring[: self._written], False
        place = self._written % _SIZE
        whole = ring[place:] + ring[:place]
        return whole[whole.find(b"\n") + 1 :], True

    def close(self) -> None:
        """Close the file; it stays for the next start."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
