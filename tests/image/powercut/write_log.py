"""A log of all that a virtual machine wrote to its card, and what is on the card when the power goes in between.

QEMU's filter `blklogwrites` writes the log, in the format of the kernel's dm-log-writes (Linux:
Documentation/admin-guide/device-mapper/log-writes.rst). Killing the emulator proves little: what it has written is in
the host's page cache. A card that loses its power keeps all that was written before the last flush, and of what came
after that any part. A disk of virtio's is told no other orders than writes, flushes and discards.
"""

import os
import random
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MAGIC: Final = 0x6A736677736872
_FLUSH, _DISCARD = 1, 4
_SECTOR: Final = 512
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")


@dataclass(frozen=True, slots=True)
class Write:
    """One entry of the log.

    Attributes:
        offset: Where on the card, in octets.
        size: How much, in octets.
        flags: Of the log's format.
        data: Where in the log what was written is; None of a flush and of what was discarded.
    """

    offset: int
    size: int
    flags: int
    data: int | None

    @property
    def flushes(self) -> bool:
        """Whether all that was written before it is on the card when it is done."""
        return bool(self.flags & _FLUSH)


def read_log(path: Path) -> list[Write]:
    """Return the entries of a log, which may still grow.

    Raises:
        ValueError: It is no such log.
    """
    found = []
    with path.open("rb") as log:
        head = log.read(_SUPER.size)
        if any(head):
            magic, _version, _entries, sector = _SUPER.unpack(head)
            if magic != _MAGIC or not sector:
                raise ValueError(f"{path} is no log of writes")
        else:  # QEMU writes it with the first flush
            sector = _SECTOR
        position = sector
        while len(head := os.pread(log.fileno(), _ENTRY.size, position)) == _ENTRY.size:
            where, count, flags, _length = _ENTRY.unpack(head)
            if not (where or count or flags):
                break
            position += sector
            data = None
            if count and not flags & _DISCARD:
                data = position
                position += count * sector
            found.append(Write(where * sector, count * sector, flags, data))
    return found


def length_of(path: Path) -> int:
    """Return how many entries a log has now: the place of what is done in it."""
    return len(read_log(path))


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a card, in octets."""

    start: int
    size: int


def partition(image: Path, number: int) -> Partition:
    """Return a primary partition of an image, by its number from 1 (MBR)."""
    with image.open("rb") as file:
        start, size = struct.unpack("<II", os.pread(file.fileno(), 8, 446 + 16 * (number - 1) + 8))
    return Partition(512 * start, 512 * size)


class Card:
    """What a partition holds after a cut: states are asked for in the order of the cuts.

    A state is made where the partition is, and is undone afterwards: to copy a card for each of a thousand cuts would
    take an hour. Whoever changes the state undoes that himself.

    Args:
        image: The card as it was when the first log began.
        part: Which part of it.
        logs: The logs of writes, one after the other.
        folder: For what is made: the partition's used size.
    """

    def __init__(self, image: Path, part: Partition, logs: Sequence[Path], folder: Path) -> None:
        self._part = part
        self._logs = [os.open(log, os.O_RDONLY) for log in logs]
        self.writes: Sequence[tuple[int, Write]] = [
            (file, one) for file, log in zip(self._logs, logs, strict=True) for one in read_log(log)
        ]
        self._stable = folder / f"from-{part.start}"
        self._done = 0
        self._waiting: list[tuple[int, Write]] = []
        _copy_part(image, part, self._stable)
        self._file = os.open(self._stable, os.O_RDWR)

    def close(self) -> None:
        """Let go of the files."""
        for file in (self._file, *self._logs):
            os.close(file)
        self._stable.unlink()

    @property
    def waiting(self) -> int:
        """How many writes no flush has come after, at the last cut."""
        return len(self._waiting)

    @contextmanager
    def after(self, cut: int, chance: random.Random) -> Iterator[Path]:
        """Make the partition as it is when the power goes right after so many writes; it is undone in the end.

        Args:
            cut: How many writes were done; at least as many as in the call before.
            chance: Says which of those are on the card that no flush came after.
        """
        self._go_on_to(cut)
        undo = [self._write(file, one) for file, one in self._waiting if chance.random() < 0.5]
        try:
            yield self._stable
        finally:
            for at, before in reversed(undo):
                os.pwrite(self._file, before, at)

    def _go_on_to(self, cut: int) -> None:
        if cut < self._done:
            raise ValueError(f"after {self._done} writes the card cannot be made as it was after {cut}")
        for file, one in self.writes[self._done : cut]:
            if one.flushes:
                for before in self._waiting:
                    self._write(*before)
                self._waiting.clear()
            if one.data is not None:
                self._waiting.append((file, one))
        self._done = cut

    def _write(self, log: int, one: Write) -> tuple[int, bytes]:
        """Carry a write out, where it is of this partition; return where, and what was there before."""
        at = one.offset - self._part.start
        if one.data is None or at < 0 or at + one.size > self._part.size:
            return 0, b""
        before = os.pread(self._file, one.size, at)
        os.pwrite(self._file, os.pread(log, one.size, one.data), at)
        return at, before


def _copy_part(image: Path, part: Partition, to: Path) -> None:
    """Copy a part of an image; what holds nothing takes no room."""
    with to.open("wb") as target:
        target.truncate(part.size)
    copy_data(image, part, to, 0)


def copy_data(source: Path, part: Partition, target: Path, offset: int) -> None:
    """Copy what a part of a file holds to a place in another file, which reads as zeros there."""
    with source.open("rb") as file, target.open("r+b") as into:
        at, end = part.start, min(part.start + part.size, source.stat().st_size)
        while at < end:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # ENXIO: there is no more
                return
            stop = min(os.lseek(file.fileno(), at, os.SEEK_HOLE), end)
            while at < stop:
                block = os.pread(file.fileno(), min(1 << 20, stop - at), at)
                os.pwrite(into.fileno(), block, offset + at - part.start)
                at += len(block)
