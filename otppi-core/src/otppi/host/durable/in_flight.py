"""The in-flight notes: which messages are on their way, in a small file on the card, so that a power cut can be told.

Metadata only: never a text, never a receiver that is not masked. A message is noted when it has been on its way for
five seconds, so what a modem sends without delay costs nothing. One that has ended is not marked in here: it is in the
report, which is written before its note is dropped.
"""

import json
import logging
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otppi.api.message import State
from otppi.host.durable.report import Report
from otppi.host.records.encoding import DAMAGED, noted, of_noted
from otppi.host.records.record import Record, Status
from otppi.kit.files import append_whole, replace_whole
from otppi.text import _
from otppi.wire.envelope import ResponseCode

logger = logging.getLogger(__name__)

_OPEN_FOR = 5.0
_PASS = 2.0
"""Seconds between two looks at what has ended: it is in the report, and its note dropped, two looks later at most."""
_PAUSE = 60.0
"""Seconds until a card that failed is tried again."""
_REWRITE_AT = 64 * 1024
_HEAD = struct.Struct(">II")  # length and CRC-32 of the body
_WORDS = (
    b'[0-9],null],null,"0812*****6281"],"ingress-mqtt","broker"ingress-rabbitmq","callback""ingress-rest","app",'
    b'{"at":["2025-01.jsonl",0],"stopped":true,"stopped":false,"open":[["'
)
"""What most notes have in common; the file is read with the same words only (zlib's preset dictionary)."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a message that was on its way: `stopped` where the gateway was stopped before it was sent.

    `since` is how long the report was when it was noted (file and bytes): its end, if there is one, is behind that.
    """

    message_id: str
    fields: Sequence[Any]
    stopped: bool
    since: tuple[str, int]

    def record(self) -> Record:
        """Make the record of a message that the power took.

        Raises:
            DAMAGED: The note is of another version of this program.
        """
        return of_noted(self.message_id, self.fields, _STOPPED if self.stopped else _LOST)


_STOPPED = Status(
    State.LOST, ResponseCode.FAILED, _("the power was switched off before it was sent; its text was in RAM only")
)
_LOST = Status(
    State.LOST,
    ResponseCode.UNCONFIRMED,
    _("the power failed before its end was written down; it may or may not have gone out"),
)


class InFlight:
    """`watch` is for any thread; `sweep` for housekeeping; the rest for the start and the stop.

    Args:
        path: The file, of mode 0600; there is none before the first note.
        report: Where the ends are.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = report
        self._young: deque[Record] = deque()
        self._late: list[Record] = []
        self._noted: dict[str, Record] = {}
        self._in_file = 0
        self._over: list[str] = []
        self._next_pass = 0.0
        self._pause_until = 0.0
        self._failed = False

    def watch(self, record: Record) -> None:
        """Note a message if it is still on its way after five seconds."""
        self._young.append(record)

    # -- housekeeping -----------------------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Note what has been on its way for long, and drop what is in the report; `now` is monotonic."""
        while self._young and self._young[0].taken <= now - _OPEN_FOR:
            record = self._young.popleft()
            if not record.state.final:
                self._late.append(record)
        if now < self._pause_until:
            return
        try:
            if self._late:
                self._note()
            if self._noted and now >= self._next_pass:
                self._next_pass = now + _PASS
                self._drop_ended()
        except OSError as error:
            self._pause_until = now + _PAUSE
            self._failed = True
            logger.error(  # noqa: TRY400 - the reason says it all
                "the in-flight notes cannot be written, a power cut now would not be told: %s", error.strerror or error
            )
        else:
            self._failed = False

    def _note(self) -> None:
        late = [record for record in self._late if not record.state.final]
        if late:
            append_whole(self._path, self._frame(late))
            self._noted |= {record.message_id: record for record in late}
            self._in_file += len(late)
        self._late = []

    def _drop_ended(self) -> None:
        """Drop what was found ended a look ago: its line has come to the report since."""
        if self._over:
            if not self._report.flush():
                raise OSError(_("the report cannot be written"))
            for message_id in self._over:
                self._noted.pop(message_id, None)
            if not self._noted:
                os.truncate(self._path, 0)  # needs no sync: if that is undone, the report has them all
                self._in_file = 0
            elif self._in_file > 4 * len(self._noted) and self._path.stat().st_size > _REWRITE_AT:
                self._rewrite(self._noted.values(), stopped=False)
        self._over = [message_id for message_id, record in self._noted.items() if record.state.final]

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return [_("the in-flight notes cannot be written: a power cut would not be told")] if self._failed else []

    # -- start and stop ---------------------------------------------------------------------------------------------

    def left_over(self) -> dict[str, Note]:
        """Read what an earlier run left, by message id; a frame that the power cut short is left out."""
        notes: dict[str, Note] = {}
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return notes
        except OSError as error:
            logger.error("the in-flight notes cannot be read, nobody is told what the power took: %s", error)  # noqa: TRY400
            return notes
        while data:
            body, data = _split(data)
            try:
                frame = json.loads(zlib.decompressobj(-zlib.MAX_WBITS, zdict=_WORDS).decompress(body))
                since, stopped = (str(frame["at"][0]), int(frame["at"][1])), bool(frame["stopped"])
                for message_id, *fields in frame["open"]:
                    notes[message_id] = Note(message_id, fields, stopped, since)
            except (zlib.error, ValueError, TypeError, LookupError):
                logger.warning("a damaged part of the in-flight notes is left out")
                break
        return notes

    def lost_records(self, notes: Iterable[Note]) -> list[Record]:
        """Make the records of those notes that the report has no end for."""
        notes = list(notes)
        if not notes:
            return []
        ended = self._report.ends({note.message_id for note in notes}, min(note.since for note in notes))
        records = []
        for note in notes:
            if note.message_id in ended:
                continue
            try:
                records.append(note.record())
            except DAMAGED:
                logger.warning("an in-flight note is of another version of this program and is left out")
        return records

    def begin(self, waiting: Iterable[Record], before: Iterable[str]) -> None:
        """Go on with what waits since an earlier run; the file, which holds the ids `before`, is written anew.

        The ends of all others must be in the report.
        """
        before = set(before)
        for record in waiting:
            if record.message_id in before:
                self._noted[record.message_id] = record
            elif not record.origin.kept_by_source:
                self._young.append(record)
        if before:
            self._write_all(self._noted.values(), stopped=False)

    def close(self, waiting: Iterable[Record]) -> None:
        """Bring the notes up to date: `waiting` is in the spool; the power may be switched off next.

        The ends of all others must be in the report.
        """
        waiting = list(waiting)
        if waiting or self._in_file:
            self._write_all(waiting, stopped=True)

    def _write_all(self, records: Iterable[Record], *, stopped: bool) -> None:
        try:
            self._rewrite(records, stopped=stopped)
        except OSError as error:
            logger.error("the in-flight notes cannot be written: %s", error.strerror or error)  # noqa: TRY400

    # -- the file ---------------------------------------------------------------------------------------------------

    def _rewrite(self, records: Iterable[Record], *, stopped: bool) -> None:
        records = list(records)
        replace_whole(self._path, self._frame(records, stopped=stopped) if records else b"")
        self._in_file = len(records)

    def _frame(self, records: Iterable[Record], *, stopped: bool = False) -> bytes:
        document = {
            "at": self._report.position(),
            "stopped": stopped,
            "open": [noted(record) for record in records],
        }
        packer = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS, zdict=_WORDS)
        body = packer.compress(json.dumps(document, separators=(",", ":")).encode()) + packer.flush()
        return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Take the first frame's body off; an empty one where it is damaged, with nothing behind it."""
    if len(data) < _HEAD.size:
        return b"", b""
    length, check = _HEAD.unpack_from(data)
    body = data[_HEAD.size : _HEAD.size + length]
    if len(body) < length or zlib.crc32(body) != check:
        return b"", b""
    return body, data[_HEAD.size + length :]
