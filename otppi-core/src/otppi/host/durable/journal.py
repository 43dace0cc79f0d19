"""The journal: what became of each message, in a RAM-backed folder: a crash is told, and nothing goes twice.

It holds metadata only: ids, a keyed digest, the masked receiver, states. The text of a message is never in it; that is
in the spool. It lives in `/run` or another RAM disk, so it costs the card nothing and is gone with the power.
"""

import logging
import os
import time
from collections.abc import Container, Iterable
from pathlib import Path
from threading import Lock

from otppi.api.message import State
from otppi.host.durable.spare import Spare
from otppi.host.records.encoding import (
    DAMAGED,
    JournalReader,
    accepted_line,
    asked_line,
    dispatched_line,
    ended_line,
    taken_line,
)
from otppi.host.records.record import Record, Status
from otppi.host.storage.sealed import key_file
from otppi.text import _
from otppi.wire.envelope import ResponseCode

logger = logging.getLogger(__name__)

_COMPACT_AT = 8 * 1024 * 1024
_PAUSE = 30.0
"""Seconds until a RAM disk that was full is tried again."""


class Journal:
    """An append-only file of one JSON list a line. Each line is written with one call, so that a kill leaves no gap.

    The key of the digests stands in a file of mode 0600 beside it, on the same RAM disk. When that is full, lines go to
    a room in reserve (`Spare`) until the file could be written anew. Where nothing can be kept at all, messages go on.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "journal"
        self._lock = Lock()
        self._held = ""
        self.key = self._key(folder / "journal.key")
        self._spare = Spare(folder / "journal.spare")
        self._compact_at = _COMPACT_AT
        self._size, self._inode = 0, 0
        self._full = False
        self._retry_at = 0.0
        try:
            self._descriptor = self._open(self._path, os.O_APPEND)
        except OSError as error:
            self._descriptor = -1
            logger.error("there is no journal, a crash could not be told: %s", error)  # noqa: TRY400 - says it all
        else:
            status = os.fstat(self._descriptor)
            self._size, self._inode = status.st_size, status.st_ino
            self._full = self._spare.continues(self._inode)
            if not (self._size or self._full):
                self._spare.begin(self._inode)
        self._missing = self._descriptor < 0
        self._torn = self._size > 0  # the kill may have cut the last line

    def _key(self, path: Path) -> bytes:
        try:
            return key_file(path)
        except OSError as error:
            logger.error("after a crash nobody will know duplicates: %s", error)  # noqa: TRY400 - the reason is enough
            return os.urandom(32)

    def _open(self, path: Path, flag: int) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600)

    def taken(self, record: Record) -> None:
        """Note a message before its sender is told that it was taken."""
        self._append(taken_line(record))

    def dispatched(self, record: Record, accepted: Record | None = None) -> bool:
        """Note that from here on the network may have it: called right before Ctrl-Z.

        Args:
            record: The message.
            accepted: The one before it, where the network accepted that and its end is not noted yet: a kill between
                the two notes leaves one message in doubt, not two.

        Returns:
            Whether that is in the file itself, and not in the reserve, where later lines may take its place.
        """
        before = "" if accepted is None else accepted_line(accepted)
        return self._append(before + dispatched_line(record))

    def ended(self, record: Record) -> None:
        """Note the final state."""
        self._append(ended_line(record))

    def changed(self, record: Record) -> None:
        """Note a state that a status report brought; it is written with the next line, or by `flush`."""
        with self._lock:
            self._held += ended_line(record)

    def asked(self, record: Record) -> None:
        """Note who is told of a message's later states, where that was learnt after it was taken."""
        self._append(asked_line(record))

    def flush(self) -> None:
        """Write what is held back."""
        if self._held:
            self._append("")

    def _append(self, line: str) -> bool:
        """Write a line to the file, or else to the reserve; return whether it is in the file."""
        with self._lock:
            data, self._held = (self._held + line).encode(), ""
            if self._descriptor < 0:
                return False  # a modem that did not end in time: the next start tells its message as unconfirmed
            if not self._full:
                data = self._write(data)
                if not data:
                    return True
            try:
                self._spare.add(data)
            except OSError:
                self._missing = True
            return False

    def _write(self, data: bytes) -> bytes:
        """Write to the file; return what is to go elsewhere."""
        try:
            written = os.write(self._descriptor, b"\n" + data if self._torn else data)
        except OSError as error:
            logger.error("the journal cannot be written: %s", error)  # noqa: TRY400 - the reason says it all
            written = 0
        else:
            self._size += written
            self._torn = written < len(data)
            if not self._torn:
                return b""
        self._full = True
        return data  # all of it: a line that was cut is left out when it is read

    @property
    def wants_compaction(self) -> bool:
        """Whether `compact` should be called: the file has grown long, or its RAM disk was full and may not be now."""
        return self._size > self._compact_at or (self._full and time.monotonic() >= self._retry_at)

    def warnings(self) -> list[str]:
        """Return what people should know."""
        where = self._path.parent
        if self._descriptor < 0 or self._missing:
            return [_("{where} is full or cannot be written: after a crash it is not known what went out", where=where)]
        return (
            [_("{where} is full: make room, a crash would lose messages that wait", where=where)] if self._full else []
        )

    def compact(self, records: Iterable[Record]) -> None:
        """Write the file anew with what is known of these records.

        No record may be added or change its state meanwhile (the caller's lock). What is noted of a state that they
        have already may come before or after: it is said twice then.
        """
        lines = []
        for record in records:
            lines.append(taken_line(record))
            if record.state.final:
                lines.append(ended_line(record))
            elif record.state is State.SENDING or record.again or record.progress.references:
                lines.append(dispatched_line(record))
                if record.accepted:
                    lines.append(accepted_line(record))
        new = self._path.with_suffix(".new")
        with self._lock:
            if self._descriptor < 0:
                return
            self._retry_at = time.monotonic() + _PAUSE
            try:
                descriptor = self._written_anew(new, lines)
            except OSError:
                new.unlink(missing_ok=True)
                self._compact_at = max(self._compact_at, 2 * self._size)
                raise
            os.close(self._descriptor)
            self._descriptor = descriptor
            status = os.fstat(self._descriptor)
            self._size, self._inode = status.st_size, status.st_ino
            self._compact_at = max(_COMPACT_AT, 2 * self._size)
            self._torn = self._full = self._missing = False
            self._spare.begin(self._inode)

    def _written_anew(self, new: Path, lines: Iterable[str]) -> int:
        with open(self._open(new, os.O_TRUNC), "wb") as file:
            file.writelines(line.encode() for line in lines)
        # Opened before the old one is closed: what is noted after a failure must not go to a stranger's descriptor.
        descriptor = self._open(new, os.O_APPEND)
        try:
            new.replace(self._path)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def replay(self, kept: Container[str] = ()) -> list[Record]:
        """Read what an earlier run of the gateway left, oldest first, with everything it did not end in its honest end.

        What was dispatched without an answer is `unconfirmed`. What was only queued is still so where its text is
        `kept`, by message id; else it has `failed`, or is `unconfirmed` where lines are missing: the RAM disk was full.
        """
        reader = JournalReader()
        written, missing = self._spare.left_over(self._inode)
        for raw in (*self._path.read_bytes().split(b"\n"), *written.split(b"\n")) if self._inode else ():
            if not raw:
                continue
            try:
                reader.read(raw)
            # A line cut by the kill (what it said had not happened yet), or one of another version of this program.
            except DAMAGED:
                logger.warning("a damaged line of the journal is left out")
        _follow(reader.followers())
        for message_id, record in reader.records.items():
            if record.follows is not None:
                continue  # it ends as that one does
            if record.state is State.SENDING:
                _end(
                    record,
                    State.UNCONFIRMED,
                    ResponseCode.UNCONFIRMED,
                    _("the gateway stopped before the network answered"),
                )
            elif record.state is State.QUEUED and message_id not in kept and missing:
                cause = _("the gateway stopped while its RAM disk was full; it may or may not have gone out")
                _end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause)
            elif record.state is State.QUEUED and message_id not in kept:
                again = _("; its source sends it again") if record.origin.kept_by_source else ""
                _end(
                    record,
                    State.FAILED,
                    ResponseCode.FAILED,
                    _("the gateway stopped before it was sent{again}", again=again),
                )
        return list(reader.records.values())

    def close(self) -> None:
        """Close the file; it stays for the next start. What is noted later is dropped."""
        self.flush()
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
            self._spare.close()
        if descriptor >= 0:
            os.close(descriptor)


def _follow(followers: Iterable[tuple[Record, Record | None]]) -> None:
    """Tie each message that is the same as another one to that."""
    for record, first in followers:
        if first is not None:
            record.follows = first
            first.followers = (*first.followers, record)
        elif not record.state.final:
            cause = _("the gateway stopped, and nobody knows what became of the same message by another sender")
            _end(record, State.UNCONFIRMED, ResponseCode.UNCONFIRMED, cause)


def _end(record: Record, state: State, code: ResponseCode, cause: str) -> None:
    """End a record as it has to be told; when that was nobody knows."""
    status = record.status
    record.become(Status(state, code, cause, status.egress, status.segments))
