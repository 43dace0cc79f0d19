"""Owns the command that is outstanding in an AT dialogue: how it may be echoed, what it asked for, what it said."""

from dataclasses import dataclass, field

from otppi.wire.at_events import FinalResult
from otppi.wire.at_tables import CALL_COMMANDS, REPLIES_WITH_BODY, final_result, named_prefixes

REPLY_LIMIT = 1 << 18
"""Most that one reply keeps, in characters and 64 for each line; further lines are dropped."""
_LINE_COST = 64


@dataclass(slots=True)
class OutstandingCommand:
    """The outstanding command.

    `info` is how its own information lines begin; a probe is `proven` when one of them came; `lines` is what it said;
    `calls` says whether it makes or takes a call: such a one has final results of its own.
    """

    echo: str = field(repr=False)
    info: tuple[str, ...]
    body_lines: bool = False
    proven: bool = True
    lines: list[str] = field(default_factory=list, repr=False)
    calls: bool = field(init=False)
    _line: str = field(init=False, repr=False)
    _size: int = 0

    def __post_init__(self) -> None:
        self._line = self.echo
        self.calls = self.echo.upper().startswith(CALL_COMMANDS)

    def asked_for(self, name: str, line: str) -> bool:
        """Return whether a line, whose name is `name`, is one of its own information lines."""
        return line.startswith(self.info) or (self.body_lines and name in REPLIES_WITH_BODY)

    def is_named_by(self, line: str) -> bool:
        """Return whether a line begins with a name that the command line bears: as its answers do, and URCs."""
        return line.startswith(self.info + named_prefixes(self._line))

    def ends_with(self, line: str) -> FinalResult | None:
        """Read a line as the command's final result; None where it is none, or is not proven to be this command's."""
        return final_result(line, calls=self.calls) if self.proven else None

    def append(self, line: str) -> bool:
        """Keep a line that it said; False where that is too much."""
        self.echo = ""  # an echo comes first or not at all
        cost = len(line) + _LINE_COST
        if self._size + cost > REPLY_LIMIT:
            return False
        self.lines.append(line)
        self._size += cost
        return True
