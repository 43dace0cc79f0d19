"""The message report: one line for each message that ended, on the card, without texts and with masked receivers."""

import json
import logging
import os
import time
from pathlib import Path
from threading import Lock
from typing import Any

from otppi.host.lifecycle import Record

logger = logging.getLogger(__name__)

_FLUSH_AT = 500
_KEPT = 100_000


class Report:
    """JSON lines in one file a month, `YYYY-MM.jsonl`; written in batches, since each write wears the card.

    Keys, kept short for the card's sake: `t` Unix time of the end, `m` message id, `i` the sender's id, `r` receiver,
    `s` state, `by` modem, `n` segments, `from` ingress and user, `d` seconds from taking it in, `c` response code where
    it is not 0000. A state that comes after the line was written gets a line of `t`, `m` and `s` only.
    """

    def __init__(self, folder: Path, months: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.months = months
        self._lock = Lock()
        self._lines: list[str] = []
        self._waiting: dict[str, Record] = {}
        self._full_at = _FLUSH_AT

    @property
    def full(self) -> bool:
        """Whether enough has gathered to be flushed."""
        return len(self._lines) + len(self._waiting) >= self._full_at

    def append(self, record: Record) -> None:
        """Add a message that ended. Its line is made when it is written: a later state often comes in time for it."""
        with self._lock:
            self._waiting[record.message_id] = record

    def changed(self, record: Record) -> None:
        """Add the later state of a message whose end was added before."""
        with self._lock:
            if record.message_id not in self._waiting:
                line = {"t": round(time.time()), "m": record.message_id, "s": record.state.value}
                self._lines.append(json.dumps(line, separators=(",", ":")))

    def flush(self) -> None:
        """Write what has gathered. If the card is full or broken, that is logged, and the lines (bounded) are kept."""
        with self._lock:
            lines, self._lines = [*self._lines, *map(_line, self._waiting.values())], []
            self._waiting = {}
        if not lines:
            return
        path = self._folder / time.strftime("%Y-%m.jsonl")
        try:
            new = not path.exists()
            _append(path, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            logger.error("the report cannot be written, %d lines wait: %s", len(lines), error)  # noqa: TRY400
            with self._lock:
                self._lines = (lines + self._lines)[-_KEPT:]
                self._full_at = len(self._lines) + _FLUSH_AT
            return
        self._full_at = _FLUSH_AT
        if new:
            self._drop_old()

    def _drop_old(self) -> None:
        for path in sorted(self._folder.glob("????-??.jsonl"))[: -self.months]:
            path.unlink()


def _line(record: Record) -> str:
    now = record.finished or time.time()
    line: dict[str, Any] = {"t": round(now), "m": record.message_id}
    if record.client_id:
        line["i"] = record.client_id[:36]
    line |= {"r": record.receiver_shown, "s": record.state.value}
    if record.modem:
        line |= {"by": record.modem[:16], "n": record.segments}
    line |= {"from": f"{record.origin.ingress}/{record.origin.sender.name}"[:40], "d": round(now - record.created, 2)}
    if record.code.value != "0000":
        line["c"] = record.code.value
    return json.dumps(line, separators=(",", ":"))


def _append(path: Path, data: bytes) -> None:
    """Append durably and as a whole: what a full card took of it is taken back, so that it is not there twice later."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
