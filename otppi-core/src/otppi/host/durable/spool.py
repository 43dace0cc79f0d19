"""The spool: the texts of messages on their way, encrypted on a RAM disk, so that a crash or a restart loses none.

What became of each message is in the journal; the spool holds what is never written there: the receiver, the text, and
how it is to be sent. Both are on the same RAM disk and gone with the power.
"""

import logging
import os
import time
from collections.abc import Container, Iterable
from pathlib import Path

from otppi.host.records.encoding import DAMAGED, Kept, of_spooled, spooled
from otppi.host.records.record import Record
from otppi.host.storage.sealed import SealedFile, spool_key
from otppi.text import _

logger = logging.getLogger(__name__)

_IN_RAM = frozenset({"tmpfs", "ramfs"})
_NO_ROOM = -1
_TOLD_AGAIN = 60.0
"""Seconds between two log lines that say the same."""


class Spool:
    """Any thread. It fails open: a message that finds no room is sent all the same, only a crash would lose it.

    Args:
        file: Where it is kept; None where nothing can be.
        why: Why there is no file, for people.
    """

    def __init__(self, file: SealedFile | None, why: str = "") -> None:
        self._file = file
        self._why = why
        self._without: set[str] = set()
        self._told = -_TOLD_AGAIN

    @property
    def is_ready(self) -> bool:
        """Whether `store` only writes to a RAM disk; never where there is none, and the journal may be on a card."""
        return self._file is not None

    def store(self, record: Record) -> None:
        """Keep a message until `drop`."""
        if self._file is None:
            return
        try:
            record.slot = self._file.put(spooled(record))
        except OSError as error:
            record.slot = _NO_ROOM
            self._without.add(record.message_id)
            self._tell("a message goes on without a copy in the spool (a crash would lose it): %s", error)

    def drop(self, record: Record) -> None:
        """Overwrite what is kept of a message that has ended."""
        slot, record.slot = record.slot, None
        if slot == _NO_ROOM:
            self._without.discard(record.message_id)
        elif slot is not None:
            self._erase(slot)

    def holds(self, record: Record) -> bool:
        """Whether the next start could go on with a message."""
        return record.slot is not None and record.slot != _NO_ROOM

    # -- at the start -----------------------------------------------------------------------------------------------

    def left_over(self) -> dict[str, Kept]:
        """Return what an earlier run left, by message id."""
        if self._file is None:
            return {}
        kept: dict[str, Kept] = {}
        try:
            entries = self._file.entries()
        except OSError as error:
            self._tell("the spool of an earlier run cannot be read: %s", error)
            return {}
        for slot, payload in entries:
            try:
                one = of_spooled(slot, payload)
            except DAMAGED:
                logger.warning("an entry of the spool is of another version of this program and is erased")
                self._erase(slot)
                continue
            kept[one.message_id] = one
        return kept

    def drop_others(self, kept: Iterable[Kept], wanted: Container[str]) -> None:
        """Erase what nobody goes on with: what had ended, may have gone out, or was never told to have been taken."""
        for one in kept:
            if one.message_id not in wanted:
                self._erase(one.slot)

    # -- all the time -----------------------------------------------------------------------------------------------

    def warnings(self) -> list[str]:
        """Return what people should know."""
        if self._file is None:
            return [_("messages on their way do not survive a crash: {why}", why=self._why)]
        if count := len(self._without):
            lost = _.plural(
                "the spool is full: {count} message on its way would not survive a crash",
                "the spool is full: {count} messages on their way would not survive a crash",
                count=count,
            )
            return [lost]
        return []

    def close(self) -> None:
        """Close the file; it stays for the next start."""
        if self._file is not None:
            self._file.close()

    def _erase(self, slot: int) -> None:
        if self._file is None:
            return
        try:
            self._file.erase(slot)
        except OSError as error:
            self._tell("an entry of the spool cannot be erased: %s", error)

    def _tell(self, sentence: str, error: OSError) -> None:
        """Log it once in a while, not for each message."""
        now = time.monotonic()
        if now - self._told >= _TOLD_AGAIN:
            self._told = now
            logger.error(sentence, error.strerror or error)


def open_spool(folder: Path) -> Spool:
    """Open the spool in a folder on a RAM disk. Elsewhere nothing is kept: a text is never written to a disk."""
    try:
        if not on_ram_disk(folder):
            why = _("{folder} is not on a RAM disk", folder=folder)
        else:
            return Spool(SealedFile(folder / "spool", spool_key(folder)))
    except OSError as error:
        why = _("the spool cannot be opened: {reason}", reason=error.strerror or error)
    logger.warning("there is no spool, a crash loses the messages that wait: %s", why)
    return Spool(None, why)


def on_ram_disk(folder: Path) -> bool:
    """Whether a folder is on a file system that is in RAM only (proc(5), mountinfo)."""
    device = folder.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        mount, _, filesystem = line.partition(" - ")
        if mount.split(" ")[2] == number:
            return filesystem.split(" ")[0] in _IN_RAM
    return False
