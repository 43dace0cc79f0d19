"""Messages in the report: a page of them, found backwards from the end of its files or from a place, newest first.

A page reads a bounded stretch, however little it finds: then it tells the place from which to search further back. So
it needs the same time and memory in a month of a million messages as in one of a hundred.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from otppi.api.message import State
from otppi.host.durable.sums_files import MONTHS
from otppi.host.records.outcomes import BECOMES
from otppi.host.records.report_lines import LaterState, ReportedMessage, read_report_line

STRETCH: Final = 1024 * 1024
"""Octets that are searched backwards for one page."""
AHEAD: Final = 512 * 1024
"""Octets behind a place in which states are looked for that came later, about 2,500 messages."""
PLACE: Final = re.compile(r"[0-9]{4}-[0-9]{2}:[0-9]{1,12}")
"""How a place is written: month, and octet of its file."""
_SO_MANY = 2
"""Blocks before a day, one after the other, at which it is passed."""
RECEIVER: Final = b'"r":"'
"""Stands in the line of each message, and in no other."""

_CHANGED = re.compile(rb'^\{"t":[0-9]+,"m":"([^"]{1,40})","s":"[^\n]*', re.MULTILINE)
"""A line of a state that came later."""
_BLOCK = 64 * 1024
_LATE = 3600
"""Seconds after the end of a message by which its line is written: a minute, but for a card that took nothing."""
_HIDDEN = "*"


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which messages are looked for; an empty field is not minded.

    Attributes:
        state: The state that they have come to by now.
        egress: The modem or mail account, by its name or its internal one.
        user: The user, the ingress, or both as the report has them.
        receiver: The receiver, or how it ends; digits that a mask hides may be any.
        message_id: The id, or the sender's own number.
        day: The day on which it ended: `2026-11-30`.
    """

    state: str = ""
    egress: str = ""
    user: str = ""
    receiver: str = field(default="", repr=False)
    message_id: str = ""
    day: str = ""

    def fits(self, message: ReportedMessage, state: State) -> bool:
        """Return whether it is such a message, in the state that it has come to."""
        ingress, _, user = message.source.partition("/")
        return (
            self.state in ("", state.value)
            and self.egress in ("", message.egress, message.egress.removeprefix("mail/"))
            and self.user in ("", message.source, ingress, user)
            and self.message_id in ("", message.message_id, message.client_id)
            and ends_so(message.receiver, self.receiver)
        )


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message, and the state that it has come to; `changed` is when, where that was after its line was written."""

    message: ReportedMessage
    state: State
    changed: float | None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """What was found.

    Attributes:
        messages: Newest first.
        further: The place from which to go on; empty where all was searched.
        stopped: Whether the search stopped there because it was long, not because the page is full.
        reached: The time that the search came back to, in Unix seconds; 0 where there was nothing.
    """

    messages: tuple[FoundMessage, ...]
    further: str
    stopped: bool
    reached: float


def ends_so(shown: str, wanted: str) -> bool:
    """Return whether a receiver may end so, as far as its mask shows."""
    if len(wanted) > len(shown):
        return False
    end = shown[len(shown) - len(wanted) :]
    return all(one in (_HIDDEN, other) for one, other in zip(end, wanted, strict=True))


def search(folder: Path, wanted: ReportFilter, place: str = "", length: int = 50) -> ReportPage:
    """Find the messages before a place; empty: from the end.

    Raises:
        OSError: The card cannot be read.
    """
    return _Search(folder, wanted, length).page(place)


class _Search:
    """One page's work."""

    def __init__(self, folder: Path, wanted: ReportFilter, length: int) -> None:
        self._folder = folder
        self._wanted = wanted
        self._length = length
        self._first, *self._others = _patterns(wanted)
        self._since, self._until = _span(wanted.day)
        self._later: dict[bytes, bytes] = {}
        self._found: list[FoundMessage] = []
        self._left = STRETCH
        self._earlier = 0
        self._reached = 0.0

    def page(self, place: str) -> ReportPage:
        months = sorted((path.stem for path in self._folder.glob(MONTHS)), reverse=True)
        month, _, offset = (place or self._begin(months)).partition(":")
        before = [name for name in months if name <= month]
        for name in before:
            path = self._folder / f"{name}.jsonl"
            size = path.stat().st_size
            start = min(int(offset), size) if name == month else size
            if name == before[0] and (start < size or name != months[0]):
                self._look_ahead(path, start, months)
            for begins, block in blocks_before(path, start):
                self._learn(block)
                if (further := self._look_at(block)) is not None:
                    return self._answer(f"{name}:{begins + further}")
                self._left -= len(block)
                if self._is_before_all(block):
                    return self._answer("")
                if self._left <= 0:
                    return self._answer(f"{name}:{begins}", stopped=True)
        return self._answer("")

    def _begin(self, months: list[str]) -> str:
        """Return from where a search begins that names no place: the end of all, or of the day that is looked for."""
        if not months:
            return "9999-12:0"
        if self._until is None:
            return f"{months[0]}:{10**12}"
        latest = self._until + _LATE
        month = time.strftime("%Y-%m", time.localtime(latest))
        path = self._folder / f"{month}.jsonl"
        return f"{month}:{offset_of(path, latest)}" if path.exists() else f"{month}:0"

    def _learn(self, block: bytes) -> None:
        """Learn which states came later: of each message the last one, which is found first."""
        for found in reversed(list(_CHANGED.finditer(block))):
            self._later.setdefault(found[1], found[0])

    def _look_at(self, block: bytes) -> int | None:
        """Look at the lines of a block, the last one first; where the one begins with which the page is full."""
        self._reached = _time_of(block) or self._reached
        for found in reversed(list(self._first.finditer(block))):
            begins = block.rfind(b"\n", 0, found.start()) + 1
            line = block[begins : block.find(b"\n", found.end())]
            if self._is_of_the_day(_time_of(line)) and all(one.search(line) for one in self._others):
                self._read(line)
                if len(self._found) >= self._length:
                    self._reached = self._found[-1].message.at
                    return begins
        return None

    def _read(self, line: bytes) -> None:
        changed = self._later.get(_id_of(line))
        state = None if changed is None else changed.rpartition(b'"s":"')[2].partition(b'"')[0].decode()
        if self._wanted.state and state is not None and state != self._wanted.state:
            return
        message = read_report_line(line)
        later = None if changed is None else read_report_line(changed)
        if isinstance(message, ReportedMessage):
            found = FoundMessage(message, message.state, None)
            if isinstance(later, LaterState):
                found = FoundMessage(message, later.state, later.at)
            if self._wanted.fits(message, found.state):
                self._found.append(found)

    def _is_before_all(self, block: bytes) -> bool:
        """Return whether the day that is looked for is passed: a clock that jumped for a moment does not say so."""
        last = _time_of(block[block.rfind(b"\n", 0, -1) + 1 :])
        self._earlier = self._earlier + 1 if 0.0 < last < self._since else 0
        return self._earlier >= _SO_MANY

    def _is_of_the_day(self, at: float) -> bool:
        return self._until is None or self._since + _LATE <= at < self._until

    def _look_ahead(self, path: Path, start: int, months: list[str]) -> None:
        """Learn which states came after the place: of each message the last one."""
        left = AHEAD
        after = sorted(name for name in months if name > path.stem)
        for one, begins in [(path, start), *((self._folder / f"{name}.jsonl", 0) for name in after[:1])]:
            with one.open("rb") as file:
                file.seek(begins)
                while left > 0 and (block := file.read(_BLOCK)):
                    block += file.readline(_BLOCK)
                    left -= len(block)
                    self._later.update((found[1], found[0]) for found in _CHANGED.finditer(block))
            if left <= 0:
                return

    def _answer(self, further: str, *, stopped: bool = False) -> ReportPage:
        return ReportPage(tuple(self._found), further, stopped, self._reached)


def _patterns(wanted: ReportFilter) -> list[re.Pattern[bytes]]:
    """Return what stands in each line of such a message, so that most others need not be looked at at all."""
    egress, user, message_id = (
        re.escape(json.dumps(one)[1:-1].encode()) for one in (wanted.egress, wanted.user, wanted.message_id)
    )
    found = []
    if wanted.message_id:
        found.append(b'"[mi]":"' + message_id + b'"')
    if wanted.user:
        found.append(b'"from":"(?:' + user + b'(?:/[^"]*)?|[^"/]*/' + user + b')"')
    if wanted.receiver.isascii() and wanted.receiver:
        end = b"".join(b"[" + re.escape(one.encode()) + b"*]" for one in wanted.receiver)
        found.append(b'"r":"[^"]*' + end + b'"')
    if wanted.state:  # what may have become this state later is looked at, too
        before = (state.value for state in BECOMES.get(State(wanted.state), ()))
        found.append(b'"s":"(?:' + "|".join([wanted.state, *before]).encode() + b')"')
    if wanted.egress:
        found.append(b'"by":"(?:mail/)?' + egress + b'"')
    return [re.compile(one) for one in found or [re.escape(RECEIVER)]]


def _id_of(line: bytes) -> bytes:
    """Return the message id in a line, as it is written; nothing sensible of one that is damaged."""
    begins = line.find(b'"m":"', 0, 32) + 5
    return line[begins : line.find(b'"', begins, begins + 40)]


def _span(day: str) -> tuple[float, float | None]:
    """Return from when on lines are looked at, and the end of the day; 0 and None of no day."""
    if not day:
        return 0.0, None
    year, month, number = map(int, day.split("-"))
    begins, ends = (time.mktime((year, month, number + more, 0, 0, 0, 0, 0, -1)) for more in (0, 1))
    return begins - _LATE, ends


def _time_of(line: bytes) -> float:
    """Return the time at the beginning of a line; 0 of one that is damaged."""
    written = line[5 : line.find(b",", 5, 32)]
    return float(written) if line.startswith(b'{"t":') and written.isdigit() else 0.0


def blocks_before(path: Path, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield what stands before an octet of a file in blocks of whole lines, the last one first, and where each begins.

    Each line ends with a line feed; a last one that lacks it is left out.
    """
    with path.open("rb") as file:
        rest = b""
        while end > 0:
            begins = max(0, end - _BLOCK)
            file.seek(begins)
            data = file.read(end - begins) + rest
            at = data.find(b"\n") + 1 if begins else 0
            block = data[at : data.rfind(b"\n") + 1]
            if block:
                yield begins + at, block
            rest, end = data[:at], begins
            if len(rest) > _BLOCK:  # damage: no line is so long
                rest = b"\n"


def offset_of(path: Path, at: float) -> int:
    """Return an octet at which a line begins, and before which all that ended until then stands.

    Lines follow each other by time but for some seconds, so it is found by halving.
    """
    low, high = 0, path.stat().st_size
    with path.open("rb") as file:
        while high - low > _BLOCK:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline(_BLOCK)
            line = file.readline(_BLOCK)
            if (_time_of(line) or at) > at:
                high = middle
            else:
                low = middle
        file.seek(high)
        file.readline(_BLOCK)
        return file.tell()
