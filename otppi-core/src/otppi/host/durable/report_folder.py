"""The report as it is read: messages by pages, the sums of some days, and a month as a stream."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otppi.host.durable.sums_files import MONTHS

if TYPE_CHECKING:  # only who reads it needs these: they take memory
    from otppi.host.durable.day_sums import DaySums
    from otppi.host.durable.report_search import FoundMessage, ReportFilter, ReportPage

MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class ReportFolder:
    """Any thread. It needs no gateway that runs.

    Attributes:
        before_reading: Has what waits written first, where a gateway runs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.before_reading: Callable[[], object] = _nothing

    def months(self) -> list[str]:
        """Return the months that there is a report of, the newest first: `2026-11`."""
        return sorted((path.stem for path in self._path.glob(MONTHS) if MONTH.fullmatch(path.stem)), reverse=True)

    def search(self, wanted: "ReportFilter", place: str, length: int) -> "ReportPage":
        """Find messages before a place; see `report_search.search`."""
        from otppi.host.durable.report_search import search

        self.before_reading()
        return search(self._path, wanted, place, length)

    def sums(self, since: date, until: date, *, together: bool = False) -> "tuple[DaySums, list[str]]":
        """Return the sums of these days, and the months of which they lack a part that is being made.

        What was told of a month's last messages later is in the next one's file.

        Args:
            since: The first day.
            until: The last day.
            together: Whether several dimensions are to be told at once (`DaySums`).

        Raises:
            OSError: The card cannot be read.
        """
        from otppi.host.durable.day_sums import DaySums
        from otppi.host.durable.sums_files import read_sums

        self.before_reading()
        wanted = {f"{day:%Y-%m}" for day in (since, until, until.replace(day=28) + timedelta(days=4))}
        first, last = min(wanted), max(wanted)
        days = {f"{since + timedelta(days=number)}" for number in range((until - since).days + 1)}
        sums, lacking = DaySums(together=together, only=days), []
        for month in reversed(self.months()):
            if first <= month <= last:
                report = self._path / f"{month}.jsonl"
                size = report.stat().st_size  # before: sums that are written meanwhile are longer, which is no lack
                if read_sums(report, sums) < size:
                    lacking.append(month)
        return sums, lacking

    def make_sums(self) -> None:
        """Make all sums anew, where no gateway runs: that takes half a minute for a million messages."""
        from otppi.host.durable.sums_files import SumsFiles

        files = SumsFiles(self._path)
        files.make_anew()
        while files.go_on():
            pass

    def exported(self, month: str) -> "Iterator[FoundMessage]":
        """Yield the messages of a month; see `report_export.exported`."""
        from otppi.host.durable.report_export import exported

        return exported(self._path / f"{month}.jsonl")


def _nothing() -> None:
    """Write nothing: no gateway runs."""
