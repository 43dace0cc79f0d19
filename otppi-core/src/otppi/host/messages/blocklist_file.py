"""The file of the blocking list: a line with a check sum for each change, appended, and written anew now and then."""

import json
import logging
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from otppi.kit.files import append_whole, replace_whole, sync_folder
from otppi.text import _

logger = logging.getLogger(__name__)

_REWRITE_AT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """Since when a number is blocked (Unix seconds), and by whom: ingress and user."""

    since: float
    by: str


Change = Mapping[str, Entry | None]
"""What is known of numbers from now on; None where one is not blocked any more."""


class BlocklistFile:
    """Mode 0600. Not thread-safe.

    A line is the CRC-32 of what follows, and that: `[number, since, by]`, or `[number]` where it is blocked no more.
    The end of a line that the power cut short is cut off before the next one; nobody was told that it was kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_name(f"{path.name}.damaged")
        self._lines = 0
        self._damaged = 0
        self._whole: int | None = None
        """How much of it is whole lines, where there is more."""
        self._problem = ""
        self.there = False

    def read(self) -> dict[str, Entry] | None:
        """Return what is blocked; None where there is no file."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._problem = _("the blocking list cannot be read, and blocks nobody: {reason}", reason=error.strerror)
            logger.error("%s", self._problem)  # noqa: TRY400 - the reason says it all
            return None
        self.there = True
        kept: dict[str, Entry] = {}
        *lines, torn = data.split(b"\n")
        self._lines = len(lines)
        self._whole = len(data) - len(torn) if torn else None
        for line in lines:
            try:
                number, entry = _read(line)
            except (ValueError, TypeError, RecursionError):
                self._damaged += 1
                continue
            if entry is None:
                kept.pop(number, None)
            else:
                kept[number] = entry
        if self._damaged:
            logger.error("%d lines of the blocking list are damaged: it may block too few or too many", self._damaged)
        return kept

    def warnings(self) -> list[str]:
        """Return what people should know."""
        if self._problem:
            return [self._problem]
        if self._damaged or self._aside.exists():
            return [
                _(
                    "the blocking list was damaged, look it through (otppi block list), then remove {aside}",
                    aside=self._aside,
                )
            ]
        return []

    def append(self, changes: Change) -> None:
        """Add changes, all or none, durably.

        Raises:
            OSError: Nothing was kept.
        """
        self._must_be_known()
        if self._whole is not None:
            os.truncate(self._path, self._whole)
            self._whole = None
        append_whole(self._path, b"".join(_line(number, entry) for number, entry in changes.items()))
        if not self.there:
            sync_folder(self._path.parent)
            self.there = True
        self._lines += len(changes)

    def replace(self, now: Mapping[str, Entry]) -> None:
        """Have it say this and nothing else, durably.

        Raises:
            OSError: The old one stays.
        """
        self._must_be_known()
        self.write(now)

    def _must_be_known(self) -> None:
        if self._problem:  # what cannot be read now may be there tomorrow
            raise OSError(self._problem)

    def tidy(self, now: Mapping[str, Entry]) -> None:
        """Write the file anew where most of it is outdated; where that fails, it stays as it is."""
        if not self.there or self._lines < 3 * len(now) or self._path.stat().st_size < _REWRITE_AT:
            return
        try:
            self.write(now)
        except OSError as error:
            logger.error("the blocking list cannot be written anew: %s", error.strerror)  # noqa: TRY400

    def repair(self, now: Mapping[str, Entry]) -> None:
        """Put a damaged file aside, and write what is known anew.

        Raises:
            OSError: The card takes nothing; what is there stays as it is.
        """
        if self._damaged:
            self._aside.unlink(missing_ok=True)
            self._aside.hardlink_to(self._path)
            self.write(now)
            self._damaged = 0

    def write(self, now: Mapping[str, Entry]) -> None:
        """Replace the file as a whole, durably.

        Raises:
            OSError: The old one stays.
        """
        replace_whole(self._path, b"".join(_line(number, entry) for number, entry in now.items()))
        self._lines, self._whole, self.there = len(now), None, True


def _line(number: str, entry: Entry | None) -> bytes:
    fields = [number] if entry is None else [number, round(entry.since), entry.by]
    content = json.dumps(fields, separators=(",", ":")).encode()
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _read(line: bytes) -> tuple[str, Entry | None]:
    """Read a line.

    Raises:
        ValueError, TypeError: It is damaged.
    """
    check, _, content = line.partition(b" ")
    if int(check, 16) != zlib.crc32(content) or len(check) != 8:
        raise ValueError("the check sum is wrong")
    number, *known = json.loads(content)
    return str(number), Entry(float(known[0]), str(known[1])) if known else None
