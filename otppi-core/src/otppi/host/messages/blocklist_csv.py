"""The blocking list as a text: how files of numbers are read, line by line, and how the list is written as CSV."""

import csv
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from otppi.host.messages.blocklist_file import Entry
from otppi.kit.spreadsheets import quoted_where_needed
from otppi.text import _, words
from otppi.wire.errors import WireError

MOST_LINES: Final = 200_000
"""Lines of a file; twice as many as numbers may be blocked."""
MOST_TOLD: Final = 20
"""Lines that are told with what is wrong with them; of the others only how many there are."""
_LONGEST_LINE: Final = 500
"""Characters of a line that are looked at; what is told never quotes it."""
_LONGEST_NAME: Final = 200
_YEAR_10000: Final = 253_402_300_800.0
"""The first second that no time in ISO 8601 says, by the years of Python."""
_LINE_END: Final = re.compile("\r\n|\n|\r")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
"""Byte order marks, as spreadsheets write them (Unicode 23.8)."""
_DELIMITERS: Final = "\t;,"
_ROUNDED: Final = re.compile(r"\+?[0-9]([.,][0-9]+)?[eE]\+?[0-9]+", re.ASCII)
_BEFORE_FORMULA: Final = "'"
_NUMBER, _SINCE, _BY = "number", "since", "by"
_TITLES: Final = {
    _NUMBER: (
        *("number", "phone", "phone number", "telephone", "receiver", "recipient", "msisdn"),
        *("nomor", "nomor telepon", "no", "no hp", "nomor hp", "hp", "telepon", "penerima"),
    ),
    _SINCE: ("since", "sejak"),
    _BY: ("by", "oleh"),
}
"""What the columns may be called in the first line, in small letters."""

Key = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that cannot be taken.

    Attributes:
        line: Its number, counted from 1.
        reason: Why; it quotes nothing of it.
    """

    line: int
    reason: str


@dataclass(slots=True)
class NumberFile:
    """What a file of numbers says.

    Attributes:
        entries: Who is to be blocked, since when and by whom, by their keys; what the file does not tell is the
            importer's.
        wrong: The first lines that cannot be taken.
        wrong_lines: How many there are of them.
        repeated: How many lines say what one before them said.
    """

    entries: dict[str, Entry] = field(default_factory=dict, repr=False)
    wrong: list[WrongLine] = field(default_factory=list)
    wrong_lines: int = 0
    repeated: int = 0

    def refuse(self, line: int, reason: str) -> None:
        """Note a line that cannot be taken."""
        self.wrong_lines += 1
        if len(self.wrong) < MOST_TOLD:
            self.wrong.append(WrongLine(line, reason))


def lines_of(octets: bytes) -> list[str]:
    """Return the lines of a file, whatever wrote it: UTF-8, UTF-16 with a mark, or else Latin-1; any ends of lines.

    Of a line that is too long for a number its beginning; what no text can hold is replaced.
    """
    text = next((_decoded(octets[len(mark) :], codec) for mark, codec in _MARKS if octets.startswith(mark)), None)
    if text is None:
        text = _decoded(octets, "utf-8")
    if text is None:
        text = octets.decode("latin-1")
    lines = _LINE_END.split(text.replace("\0", "\ufffd"))
    if not lines[-1]:
        lines.pop()
    return [one if len(one) <= _LONGEST_LINE else one[:_LONGEST_LINE] for one in lines]


def _decoded(octets: bytes, codec: str) -> str | None:
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return None


def read(lines: Sequence[str], key: Key, known_to_importer: Entry) -> NumberFile:
    """Read a file of numbers: one a line, in the first column or in that which is called so in the first line.

    Columns called `since` (ISO 8601, with its zone) and `by` are read, too; all others are not minded. Blank lines,
    and those that begin with #, say nothing.

    Args:
        lines: Of the file.
        key: Gives the key of a number, or raises `WireError` with the reason why there is none.
        known_to_importer: Since when and by whom a number is blocked where the file does not tell.
    """
    found = NumberFile()
    columns: Mapping[str, int] | None = None
    of_first = ""
    for count, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        delimiter = of_first or next((one for one in _DELIMITERS if one in line), "")
        if columns is None:
            of_first = delimiter
            titles = _columns(_cells(line, delimiter))
            columns = titles or {_NUMBER: 0}
            if titles:
                continue
        try:
            number, entry = _read_line(_cells(line, delimiter), columns, key, known_to_importer)
        except (WireError, ValueError) as error:
            found.refuse(count, words(error))
            continue
        if number in found.entries:
            found.repeated += 1
        else:
            found.entries[number] = entry
    return found


def _cells(line: str, delimiter: str) -> list[str]:
    if _ROUNDED.fullmatch(line.strip()):  # its comma is that of a number
        return [line]
    if '"' in line:
        try:
            return next(csv.reader([line], delimiter=delimiter or ","), [])
        except csv.Error:  # marks that do not end, say: what is wrong with it is told as of any other line
            pass
    return line.split(delimiter) if delimiter else [line]


def _columns(cells: Sequence[str]) -> dict[str, int] | None:
    """Return which column is which, where these are titles; None where they are a number already."""
    titles = [one.strip().strip("\ufeff").casefold() for one in cells]
    found = {
        name: next(place for place, title in enumerate(titles) if title in known)
        for name, known in _TITLES.items()
        if any(title in known for title in titles)
    }
    if _NUMBER in found:
        return found
    is_title = titles and not any(sign.isdigit() for sign in titles[0]) and "@" not in titles[0]
    return {**found, _NUMBER: 0} if is_title else None


def _read_line(
    cells: Sequence[str], columns: Mapping[str, int], key: Key, known_to_importer: Entry
) -> tuple[str, Entry]:
    def cell(name: str) -> str | None:
        place = columns.get(name)
        return cells[place].strip().removeprefix(_BEFORE_FORMULA) if place is not None and place < len(cells) else None

    number, since, by = cell(_NUMBER) or "", cell(_SINCE), cell(_BY)
    if _ROUNDED.fullmatch(number):
        raise ValueError(_("a spreadsheet has rounded the number, and its last digits are lost"))
    if by is not None and (len(by) > _LONGEST_NAME or not by.isprintable()):
        raise ValueError(_("who blocked it is longer than {most} characters, or not printable", most=_LONGEST_NAME))
    return key(number), Entry(
        _moment(since) if since else known_to_importer.since, known_to_importer.by if by is None else by
    )


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        seconds = moment.timestamp()
    except (ValueError, OverflowError):
        moment, seconds = None, math.nan
    if moment is None or moment.tzinfo is None or not 0 <= seconds < _YEAR_10000:
        raise ValueError(_("since when it is blocked is no time with its zone, such as 2026-11-29T12:00:00Z"))
    return seconds


def written(entries: Mapping[str, Entry]) -> Iterable[str]:
    """Write the list as CSV (RFC 4180), line by line with their ends; `read` gives just these entries again.

    A number has its + and, as all that a spreadsheet would take for a formula, an apostrophe before it: else
    spreadsheets round it. Times are in UTC.
    """
    yield f"{_NUMBER},{_SINCE},{_BY}\r\n"
    for number, entry in entries.items():
        since = datetime.fromtimestamp(round(entry.since), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        shown = number if "@" in number else f"+{number}"
        yield f"{_cell(shown)},{since},{_cell(entry.by)}\r\n"


def _cell(text: str) -> str:
    # An apostrophe that is the text's own has another one before it, since `read` takes one away.
    return quoted_where_needed(f"{_BEFORE_FORMULA}{text}" if text.startswith(_BEFORE_FORMULA) else text)
