"""The audit trail on the card: a line for each operation that was asked for, in two files of bounded size."""

import json
import logging
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from otppi.host.runtime.registry import Audited
from otppi.kit.files import append_whole, replace_whole, sync_folder
from otppi.kit.token_bucket import TokenBucket
from otppi.text import _

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a file: where a write would make the newer one greater, it takes the place of the older one."""
MOST_WAITING = 128 * 1024
"""Bytes of entries that wait to be written."""
_FREE = 30
_PER_SECOND = 0.2
_LONGEST = 64
_MOST_FIELDS = 20


class AuditTrail:
    """Keep entries in `newer.jsonl` and `older.jsonl` of a folder, of mode 0600. Any thread.

    Keys of a line: `t` Unix time of the end, `who`, `from` and `at` the actor's name, origin and address, `role`, `op`
    the operation, `on` what it was about, `f` names of fields, `s` the outcome, `why` its reason, `lost` how many
    entries are missing before it.

    Each entry is on the card when `tell` returns, up to 30 of them; then there is a write each five seconds at most,
    and what comes in between waits in RAM for the next one, for `flush` or for the end. So it does where the card takes
    nothing, which no operation fails by; where too much waits, what comes is only counted.

    Of what was refused neither the subject nor names that are no fields are kept: a secret may stand in their place.

    Args:
        folder: It is made when the first entry is written.
        allows: Whether something may be written at once now.
    """

    def __init__(self, folder: Path, allows: Callable[[], bool] | None = None) -> None:
        self._folder = folder
        self._newer, self._older = folder / "newer.jsonl", folder / "older.jsonl"
        self._allows = allows or TokenBucket(_FREE, _PER_SECOND).allows
        self._lock = Lock()
        self._waiting = b""
        self._lost = 0
        self._failed = ""

    # -- writing ----------------------------------------------------------------------------------------------------

    def tell(self, audited: Audited) -> None:
        """Keep what was done."""
        entry = _entry(audited)
        with self._lock:
            if self._lost:
                entry["lost"] = self._lost
            line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
            if len(self._waiting) + len(line) > MOST_WAITING:
                self._lost += 1
                return
            self._waiting += line
            self._lost = 0
            if self._allows():
                self._write()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        data = b"\n" + self._waiting  # a line that a power cut has torn ends before
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            size = self._newer.stat().st_size if self._newer.exists() else 0
            if size + len(data) > LARGEST:
                self._newer.replace(self._older)
                size = 0
            append_whole(self._newer, data)
            if not size:
                sync_folder(self._folder)
        except OSError as error:
            reason = error.strerror or str(error)
            if reason != self._failed:
                logger.error("the audit trail cannot be written, entries wait: %s", reason)  # noqa: TRY400 - it says all
            self._failed = reason
            return
        self._waiting, self._failed = b"", ""

    # -- reading ----------------------------------------------------------------------------------------------------

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest entries, newest first, those included that wait to be written; damaged lines are left out.

        Raises:
            OSError: The card cannot be read.
        """
        with self._lock:
            raw = b"\n".join([*map(_content, (self._older, self._newer)), self._waiting])
        lines = filter(None, reversed(raw.split(b"\n")))
        entries = (one for line in lines if (one := _described(line)) is not None)
        return list(islice(entries, limit))

    def warnings(self) -> Sequence[str]:
        """Return what people should know."""
        return [_("the audit trail cannot be written: {reason}", reason=self._failed)] if self._failed else []


def merge(folder: Path, beside: Path) -> None:
    """Put the lines of another trail among those of this one by their times; each line is there once.

    The oldest ones are left out where there are too many. What `beside` holds is all of them before this trail is
    written: a kill between its two files loses none, since this may be done again.

    Args:
        folder: Of this trail; nobody has it open.
        beside: The file of the other lines.

    Raises:
        OSError: A file cannot be read or written.
    """
    newer, older = folder / "newer.jsonl", folder / "older.jsonl"
    found = b"\n".join(one.read_bytes() for one in (beside, older, newer) if one.exists())
    lines = sorted(filter(None, dict.fromkeys(found.split(b"\n"))), key=_time_of)
    if not lines:
        return
    replace_whole(beside, b"".join(b"%b\n" % one for one in lines))
    last, before = _fitting(lines, LARGEST // 2)
    folder.mkdir(mode=0o700, exist_ok=True)
    replace_whole(newer, b"".join(b"%b\n" % one for one in last))
    replace_whole(older, b"".join(b"%b\n" % one for one in _fitting(before, LARGEST)[0]))


def _time_of(line: bytes) -> float:
    try:
        return float(json.loads(line)["t"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return 0.0


def _fitting(lines: list[bytes], most: int) -> tuple[list[bytes], list[bytes]]:
    """Part the last lines, which have so many octets together at most, from those before them."""
    size, first = 0, len(lines)
    while first and size + len(lines[first - 1]) < most:
        first -= 1
        size += len(lines[first]) + 1
    return lines[first:], lines[:first]


def _entry(audited: Audited) -> dict[str, Any]:
    actor, refused = audited.actor, audited.outcome == "refused"
    entry = {
        "who": actor.name[:_LONGEST],
        "from": actor.origin[:_LONGEST],
        "at": actor.address[:_LONGEST],
        "role": actor.role.value,
        "op": audited.operation,
        "on": "" if refused else audited.subject,
        "f": [one[:_LONGEST] for one in audited.fields[:_MOST_FIELDS]],
        "s": audited.outcome,
        "why": _own_names(audited) if refused else audited.detail,
    }
    return {"t": round(audited.at, 3)} | {key: value for key, value in entry.items() if value}


def _own_names(audited: Audited) -> str:
    """Return which of the operation's own fields were wrong; any other word was typed, and may be a secret."""
    own = {"role", *audited.fields}
    return ", ".join(dict.fromkeys(one if one in own else "others" for one in audited.detail.split(", ")))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _described(line: bytes) -> dict[str, Any] | None:
    """Return an entry as the operation `audit` gives it; None where the line is damaged."""
    words = {"actor": "who", "origin": "from", "address": "at", "role": "role", "operation": "op", "subject": "on"}
    try:
        entry = json.loads(line)
        at = float(entry["t"])
        time.localtime(at)  # one that there cannot be is no time
        described = {
            "at": at,
            **{key: str(entry.get(short, "")) for key, short in words.items()},
            "fields": [str(one) for one in entry.get("f", ())],
            "outcome": str(entry["s"]),
            "detail": str(entry.get("why", "")),
            "missing_before": int(entry.get("lost", 0)),
        }
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError, OSError):
        logger.warning("a damaged line of the audit trail is left out")
        return None
    return described
