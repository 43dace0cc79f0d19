"""Owns the constructs of an AT dialogue that go on over several lines, and where they end if their end is lost.

The text of a +CUSD goes on to its closing quote (27.007 7.15), and a line of text mode owns the next one (27.005
3.4.1): what stands inside is text, also where it reads "OK". But modems lose closing quotes (gammu#179). What cannot be
a line of a text ends such a construct at once; a line that may be text as well as the final result that is waited for
is held until the construct's own end, another final result or silence tells which of them it was.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from otppi.wire.at_tables import BodyForm, is_open_quote

TEXT_LIMIT = 4096
"""Longest +CUSD text, in octets, that is waited for; then it is told as it is."""


class Owner(NamedTuple):
    """A line that waits for the one it owns."""

    name: str
    line: str
    form: BodyForm
    is_urc: bool


@dataclass(slots=True)
class OpenText:
    """A text whose end has not come: a +CUSD's, or, where there is an `owner`, the one line that this line owns.

    `lines` are those that came since, and may turn out not to belong to it.
    """

    first: str = field(repr=False)
    owner: Owner | None = None
    lines: list[bytes] = field(default_factory=list, repr=False)
    _size: int = 0
    _doubt: int | None = None

    def feed(self, line: bytes, *, doubtful: bool) -> int | None:
        """Take a line that may belong to the text; `doubtful` ones may be the final result as well.

        Returns:
            How many of `lines` are the text's, as soon as that is certain.
        """
        if self.owner is not None:
            return self._take_owned(line, doubtful)
        if doubtful:
            self._doubt = len(self.lines)
        self.lines.append(line)
        self._size += len(line) + 1
        if not is_open_quote(self.text(len(self.lines))):
            return len(self.lines)
        return self.settled() if len(self.first) + self._size > TEXT_LIMIT else None

    def _take_owned(self, line: bytes, doubtful: bool) -> int | None:
        if not line.strip():
            return None
        self.lines.append(line)
        if len(self.lines) == 1:
            return None if doubtful else 1
        return int(doubtful)  # there is one final result only, so the line before this one was text

    def settled(self) -> int:
        """Return how many of `lines` are the text's if nothing more comes of it: what was in doubt was no text."""
        if self.owner is not None:
            return 0
        return len(self.lines) if self._doubt is None else self._doubt

    def text(self, own: int) -> str:
        """Return the text with the first `own` of `lines`, joined by line feeds."""
        return "\n".join(
            (self.first, *(line.decode("utf-8", "replace").rstrip() for line in self.lines[:own]))
        ).rstrip()
