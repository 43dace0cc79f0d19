"""Reads files of sections, keys and values, as gammu-smsd, smstools3 and Kannel have them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from otppi.host.importing.findings import MOST, TooMuch
from otppi.text import _

LONGEST_LINE: Final = 4_096
_SECTION: Final = re.compile(r"\[([^\]]*)\]")
_COMMENT: Final = re.compile(r"\s[#;].*")


@dataclass(slots=True)
class Block:
    """A section or group: its keys in small letters, each with the value that was given last.

    Attributes:
        name: What it is called; empty for what stands before the first one.
        values: By their keys.
    """

    name: str
    values: dict[str, str] = field(default_factory=dict)

    def get(self, *keys: str) -> str:
        """Return the value of the first of these keys that has one; empty where none has."""
        return next((self.values[key] for key in keys if self.values.get(key)), "")


def sections(text: str) -> list[Block]:
    """Read a file of sections in brackets; what stands before the first is one without a name.

    Raises:
        TooMuch: It has more lines than any that people have.
    """
    blocks = [Block("")]
    for section, key, value in _entries(_bounded(_lines(text))):
        if key:
            blocks[-1].values[key] = value
        else:
            blocks.append(Block(section))
    return blocks


def entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, key and value of each line of a file of sections, however many it has.

    Where a section begins, the key is empty.
    """
    return _entries(_lines(text))


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    section = ""
    for line in lines:
        if found := _SECTION.match(line):
            section = found[1].strip()
            yield section, "", ""
        elif pair := _pair(line):
            yield section, pair[0], _COMMENT.sub("", pair[1])


def groups(text: str) -> list[Block]:
    """Read a file of Kannel's form: each group begins with a line that says which one it is.

    Raises:
        TooMuch: It has more lines than any that people have.
    """
    blocks = [Block("")]
    for line in _bounded(_lines(text)):
        if pair := _pair(line):
            key, value = pair[0], _unquoted(pair[1])
            if key == "group":
                blocks.append(Block(value.casefold()))
            else:
                blocks[-1].values[key] = value
    return blocks


def listed_numbers(text: str) -> Iterator[str]:
    """Yield what a list of telephone numbers has in its lines, without comments."""
    for line in text.splitlines():
        if entry := line.partition("#")[0].strip():
            yield entry[:LONGEST_LINE]


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        bare = line[:LONGEST_LINE].strip()
        if bare and bare[0] not in "#;":
            yield bare


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    for count, line in enumerate(lines):
        if count >= MOST:
            raise TooMuch(_("there are more than {most:,} values", most=MOST))
        yield line


def _pair(line: str) -> tuple[str, str] | None:
    key, equals, value = line.partition("=")
    return (key.strip().casefold(), value.strip()) if equals and key.strip() else None


def _unquoted(value: str) -> str:
    r"""Take Kannel's quotes off a value; a backslash stands before a sign that would mean something there."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value
