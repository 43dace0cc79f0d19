"""Reads Java properties (java.util.Properties, load): the form of the keys file of earlier devices."""

import re
from typing import Final

from otppi.text import Text, _

MOST: Final = 1_000
"""Keys that a file may have."""
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_PLACE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_PAIR: Final = re.compile(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)


class UnreadablePropertiesError(ValueError):
    """It is no such file; the reason is for people."""

    def __init__(self, reason: Text) -> None:
        super().__init__(str(reason))
        self.reason = reason


def properties_of(content: bytes) -> dict[str, str]:
    r"""Return the values by their keys; of a key that is there twice the last one counts.

    A `\` at a line's end goes on in the next one; `#` and `!` begin a comment; `=`, `:` or space part key and value.
    It is read as UTF-8 where it is that, else as ISO 8859-1, which that class says.

    Raises:
        UnreadablePropertiesError: It has octets that no text has, or too many keys.
    """
    if b"\0" in content:
        raise UnreadablePropertiesError(_("it is no text in UTF-8"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    found: dict[str, str] = {}
    for line in _logical(text):
        matched = _PAIR.match(line)
        if matched is not None:
            found[_unescaped(matched[1])] = _unescaped(matched[2])
        if len(found) > MOST:
            raise UnreadablePropertiesError(_("it has more than {most} keys", most=MOST))
    return found


def _logical(text: str) -> list[str]:
    """Return the lines as they are meant: without comments and empty ones, those that go on put together."""
    lines: list[str] = []
    pieces: list[str] = []
    for natural in re.split(r"\r\n|\r|\n", text):
        line = natural.lstrip(" \t\f")
        if not pieces and (not line or line[0] in "#!"):
            continue
        goes_on = (len(line) - len(line.rstrip("\\"))) % 2 == 1
        pieces.append(line[:-1] if goes_on else line)
        if not goes_on:
            lines.append("".join(pieces))
            pieces = []
    return [*lines, "".join(pieces)] if pieces else lines


def _unescaped(text: str) -> str:
    return _PLACE.sub(lambda one: chr(int(one[1], 16)) if one[1] else _ESCAPES.get(one[2], one[2]), text)
