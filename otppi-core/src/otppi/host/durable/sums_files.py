"""The files of the report's sums: one a month beside the report's own, and made anew from that where they lack part.

`YYYY-MM.sums` is lines of JSON: `from` and `to`, the octets of `YYYY-MM.jsonl` that a line adds up, and `days`. The
first one says what was put together, the others were appended with each batch of the report. A line that a power cut
has torn, or that was never written, leaves a gap: what follows is not minded, and made anew from the report.
"""

import json
import logging
import threading
import time
from pathlib import Path
from typing import Final

from otppi.host.durable.day_sums import DaySums
from otppi.host.records.encoding import DAMAGED
from otppi.host.records.report_lines import read_report_line
from otppi.kit.files import append_whole, as_json, replace_whole

logger = logging.getLogger(__name__)

MONTHS: Final = "????-??.jsonl"
"""Pattern of the report's own files."""
_PUT_TOGETHER_AT = 64 * 1024
"""Octets of lines that were appended: then the file is written anew as one line."""
_STEP = 64 * 1024
"""Octets of the report that one step of `SumsFiles.go_on` reads."""
_SAVE_EACH = 16 * 1024 * 1024
"""Octets of the report, after which what was made anew of it is kept."""


def sums_path(report: Path) -> Path:
    """Return the path of the sums of one of the report's files."""
    return report.with_suffix(".sums")


def read_sums(report: Path, into: DaySums) -> int:
    """Add the sums of one of the report's files to others.

    Returns:
        Up to which octet of that file they go: less than its length where they lack part of it.

    Raises:
        OSError: The card cannot be read.
    """
    try:
        raw = sums_path(report).read_bytes()
    except FileNotFoundError:
        return 0
    to = 0
    for line in raw.split(b"\n"):
        if not line:
            continue
        try:
            entry = json.loads(line)
            begins, ends = int(entry["from"]), int(entry["to"])
            if begins < to:  # it was told before
                continue
            if begins > to:
                break
            into.merge(entry["days"])
        except (*DAMAGED, AttributeError):
            break
        to = ends
    return to


def _covered_of(report: Path) -> int:
    """Return up to which octet of one of the report's files its sums go."""
    return read_sums(report, DaySums(together=False))


class SumsFiles:
    """Writes them. Any thread; what is made anew is made in steps, by whoever calls `go_on`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._covered: dict[str, int] = {}
        self._appended = 0
        self._unseen: list[Path] | None = None
        self._lacking: list[Path] = []
        self._making: _Making | None = None

    @property
    def behind(self) -> bool:
        """Whether there is something for `go_on` to do."""
        return self._unseen is None or bool(self._unseen) or bool(self._lacking) or self._making is not None

    def add(self, report: Path, start: int, data: bytes) -> None:
        """Add up lines that were just appended to the report at this octet."""
        with self._lock:
            try:
                self._add(report, start, data)
            except OSError as error:
                logger.error("the sums of the report cannot be written, they are made later: %s", error)  # noqa: TRY400
                self._covered.pop(report.name, None)
                self._lack(report)

    def _add(self, report: Path, start: int, data: bytes) -> None:
        known = self._covered.get(report.name)
        if known is None:
            self._covered.clear()  # of the month before
            known = self._covered[report.name] = _covered_of(report)
            self._appended = _PUT_TOGETHER_AT if sums_path(report).exists() else 0
        if known != start:
            self._lack(report)
            return
        sums = DaySums()
        for line in data.split(b"\n"):
            sums.add_line(read_report_line(line) if line else None)
        end = start + len(data)
        written = _line(start, end, sums)
        append_whole(sums_path(report), b"\n" + written)  # a line that a power cut has torn ends before
        self._covered[report.name] = end
        self._appended += len(written)
        if self._appended > _PUT_TOGETHER_AT:
            self._put_together(report)

    def _put_together(self, report: Path) -> None:
        sums = DaySums()
        end = read_sums(report, sums)
        replace_whole(sums_path(report), _line(0, end, sums))
        self._covered[report.name], self._appended = end, 0

    def _lack(self, report: Path) -> None:
        if report not in self._lacking:
            self._lacking.append(report)

    # -- what is made anew --------------------------------------------------------------------------------------------

    def make_anew(self) -> None:
        """Have the sums of all months made anew, from the first line on."""
        with self._lock:
            self._making = None
            for report in self._folder.glob(MONTHS):
                sums_path(report).unlink(missing_ok=True)
            self._covered.clear()
            self._unseen, self._lacking = [], sorted(self._folder.glob(MONTHS))

    def go_on(self) -> bool:
        """Do a step of what is to be made anew, the newest month first; False where there is nothing more to do.

        The first calls of a process look at which sums lack part of their report: a kill may have come between. Each
        of them looks at one month, so that a batch of the report never waits for long.
        """
        with self._lock:
            try:
                self._step()
            except OSError as error:
                logger.error("the sums of the report cannot be made anew: %s", error)  # noqa: TRY400 - it says it all
                self._unseen, self._lacking, self._making = [], [], None
            return self.behind

    def _step(self) -> None:
        if self._unseen is None:
            self._unseen = sorted(self._folder.glob(MONTHS))
        elif self._making is not None:
            if self._making.step():
                self._covered.pop(self._making.report.name, None)
                self._making = None
        elif self._lacking:
            self._making = _Making(self._lacking.pop())
        elif self._unseen and _lacks(self._unseen[-1]):
            self._lack(self._unseen.pop())
        elif self._unseen:
            self._unseen.pop()

    def drop(self, report: Path) -> None:
        """Delete the sums of a month whose report is deleted."""
        with self._lock:
            sums_path(report).unlink(missing_ok=True)
            if self._making is not None and self._making.report == report:
                self._making = None
            for reports in (self._lacking, self._unseen or []):
                if report in reports:
                    reports.remove(report)


def _lacks(report: Path) -> bool:
    """Return whether the sums of one of the report's files are not those of all of it."""
    try:
        return read_sums(report, DaySums()) != report.stat().st_size
    except FileNotFoundError:  # it was too old
        return False


class _Making:
    """What is made anew of one month: from where its sums end, or from its first line."""

    def __init__(self, report: Path) -> None:
        self.report = report
        self._sums = DaySums()
        self._to = read_sums(report, self._sums)
        self._saved = self._to
        if report.exists() and self._to > report.stat().st_size:  # they are of another file of this name
            self._sums, self._to = DaySums(), 0
        logger.info("the sums of %s are made anew from octet %d on", report.name, self._to)

    def step(self) -> bool:
        """Add up some more lines; True where that was all."""
        try:
            with self.report.open("rb") as file:
                file.seek(self._to)
                data = file.read(_STEP)
        except FileNotFoundError:  # it was too old
            return True
        end = data.rfind(b"\n") + 1
        if not end and len(data) == _STEP:  # damage: no line is so long
            end = len(data)
        for line in data[:end].split(b"\n"):
            self._sums.add_line(read_report_line(line) if line else None)
        self._to += end
        done = len(data) < _STEP
        if done and end < len(data):  # the power cut its last line short
            self._to += len(data) - end
        if done or self._to - self._saved >= _SAVE_EACH:
            replace_whole(sums_path(self.report), _line(0, self._to, self._sums))
            self._saved = self._to
        return done


def _line(start: int, end: int, sums: DaySums) -> bytes:
    return as_json({"from": start, "to": end, "at": round(time.time()), "days": sums.document()}) + b"\n"
