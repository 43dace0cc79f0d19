"""The message report: one line for each message that ended, on the card, without texts and with masked receivers."""

import json
import logging
import os
import re
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Lock

from otppi.api.message import State
from otppi.host.durable.sums_files import MONTHS, SumsFiles
from otppi.host.records.encoding import changed_line, report_line
from otppi.host.records.record import Record
from otppi.kit.files import append_whole
from otppi.text import _

logger = logging.getLogger(__name__)

_FLUSH_AT = 500
_KEPT = 100_000
_LONG_LINE = 256
_MARGIN = 64 * 1024
_READ_EACH = 10.0
_MOMENT = 0.05
"""Seconds of housekeeping, twice a second, in which sums are made anew: a tenth of a core."""
_ID = re.compile(rb'"m":"([0-9a-f]{16})"')


class Report:
    """JSON lines in one file a month, `YYYY-MM.jsonl`; written in batches, since each write wears the card.

    Keys, kept short for the card's sake: `t` Unix time of the end, `m` message id, `i` the sender's id, `r` receiver,
    `s` state, `by` modem, or `mail/` and the account, `n` segments, `from` ingress and user, `d` seconds from taking it
    in, `c` response code where it is not 0000, `p` price where there is one. A state that comes after the line was
    written gets a line of `t`, `m`, `s`, and `o`: of the message what its sums are moved by (`changed_line`). Those are
    added up with each batch, in a file beside it (`SumsFiles`).
    """

    def __init__(self, folder: Path, months: int) -> None:
        self._folder = folder
        self.months = months
        self._lock = Lock()
        self._lines: list[str] = []
        self._waiting: dict[str, tuple[Record, State]] = {}
        self._sums = SumsFiles(folder)
        self._writing = Lock()
        self._ends_whole = ""
        self._read_at = -_READ_EACH
        self._full_at = _FLUSH_AT
        self._failed = ""

    @property
    def full(self) -> bool:
        """Whether enough has gathered to be flushed."""
        return len(self._lines) + len(self._waiting) >= self._full_at

    def append(self, record: Record, state: State | None = None) -> None:
        """Add a message that ended, in this state or that which it has now.

        Its line is made when it is written: a later state often comes in time for it.
        """
        with self._lock:
            self._waiting[record.message_id] = record, state or record.state

    def changed(self, was: State, record: Record, state: State) -> None:
        """Add the later state of a message whose end was added before."""
        with self._lock:
            if record.message_id in self._waiting:
                self._waiting[record.message_id] = record, state
            else:
                self._lines.append(changed_line(record, was, state))

    def flush(self) -> bool:
        """Write what has gathered. If the card is full or broken, that is logged, and the lines (bounded) are kept.

        Gives whether all of it is on the card.
        """
        with self._writing:
            return self._flush()

    def _flush(self) -> bool:
        with self._lock:
            lines, self._lines = [*self._lines, *(report_line(*one) for one in self._waiting.values())], []
            self._waiting = {}
        if not lines:
            return True
        path = self._folder / time.strftime("%Y-%m.jsonl")
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = not path.exists()
            start = 0 if new else path.stat().st_size
            if self._is_torn(path):
                data = b"\n" + data
            append_whole(path, data)
        except OSError as error:
            logger.error("the report cannot be written, %d lines wait: %s", len(lines), error)  # noqa: TRY400
            with self._lock:
                self._lines = (lines + self._lines)[-_KEPT:]
                self._full_at = len(self._lines) + _FLUSH_AT
                self._failed = error.strerror or str(error)
            return False
        self._full_at, self._failed = _FLUSH_AT, ""
        self._sums.add(path, start, data)
        if new:
            self._drop_old()
        return True

    def _is_torn(self, path: Path) -> bool:
        """Return whether the power has cut the last line short that an earlier run wrote."""
        if self._ends_whole == path.name or not path.exists() or not path.stat().st_size:
            self._ends_whole = path.name
            return False
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"
        self._ends_whole = path.name
        return torn

    def before_reading(self) -> None:
        """Write what has gathered, since somebody wants to read it: each ten seconds at most, for the card's sake."""
        now = time.monotonic()
        if (self._lines or self._waiting) and now - self._read_at >= _READ_EACH:
            self._read_at = now
            self.flush()

    def make_sums(self) -> bool:
        """Go on for a moment with the sums that lack part of the report; whether there is more to be made."""
        begun = time.monotonic()
        while self._sums.behind:
            with self._writing:
                self._sums.go_on()
            if time.monotonic() - begun >= _MOMENT:
                break
        return self._sums.behind

    def make_sums_anew(self) -> None:
        """Have all sums made anew, by `make_sums`."""
        with self._writing:
            self._sums.make_anew()

    def warnings(self) -> list[str]:
        """Return what people should know."""
        return [_("the report cannot be written: {failed}", failed=self._failed)] if self._failed else []

    def position(self) -> tuple[str, int]:
        """Return where the next line will be: file and byte."""
        path = self._folder / time.strftime("%Y-%m.jsonl")
        return path.name, path.stat().st_size if path.exists() else 0

    def ends(self, message_ids: Collection[str], since: tuple[str, int]) -> set[str]:
        """Return those of some messages that have a line behind a `position`."""
        found = set()
        name, start = since
        for path in sorted(self._folder.glob(MONTHS)):
            if path.name < name:
                continue
            try:
                with path.open("rb") as file:
                    file.seek(start if path.name == name else 0)
                    for raw in file:
                        message_id = _message_id(raw)
                        if message_id in message_ids:
                            found.add(message_id)
            except OSError as error:
                logger.error("the report cannot be read, what had ended is told as lost: %s", error)  # noqa: TRY400
        return found

    def missing(self, records: Sequence[Record]) -> list[Record]:
        """Return those of some messages that ended of which there is no line: a kill took those that waited.

        Only the newest part of the report is read.
        """
        wanted = {record.message_id: record for record in records}
        left, since = len(wanted) * _LONG_LINE + _MARGIN, 0.0
        for path in sorted(self._folder.glob(MONTHS), reverse=True) if wanted else ():
            with path.open("rb") as file:
                start = file.seek(max(0, path.stat().st_size - left))
                data = file.read()
            for found in _ID.finditer(data):
                wanted.pop(found[1].decode(), None)
            left -= len(data)
            if start:
                since = _first_time(data)
                break
        return [record for record in wanted.values() if record.finished is not None and record.finished > since]

    def _drop_old(self) -> None:
        for path in sorted(self._folder.glob(MONTHS))[: -self.months]:
            path.unlink()
            self._sums.drop(path)


def _first_time(data: bytes) -> float:
    """Return the time of the first whole line of a stretch of the file; 0 where there is none."""
    for raw in data.splitlines()[1:]:
        try:
            return float(json.loads(raw)["t"])
        except (ValueError, TypeError, LookupError):
            continue
    return 0.0


def _message_id(raw: bytes) -> str:
    """Return the message id of a line; an empty one where the power cut it short."""
    try:
        return str(json.loads(raw)["m"])
    except (ValueError, TypeError, LookupError):
        return ""
