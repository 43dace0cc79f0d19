"""Owns the values that an AT connection hands out: what a modem said, once its bytes are understood.

Lines of a modem may hold messages, numbers and codes, so no event shows them in its ``repr``.
"""

from dataclasses import dataclass, field
from enum import Enum


class ResultKind(Enum):
    """Which final result code ended a command (ITU-T V.250 5.7.1, 3GPP TS 27.007 9.1, 27.005 3.2.5)."""

    OK = "OK"
    CONNECT = "CONNECT"
    ERROR = "ERROR"
    CME = "+CME ERROR"
    CMS = "+CMS ERROR"
    NOT_SUPPORTED = "COMMAND NOT SUPPORT"
    NO_CARRIER = "NO CARRIER"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    NO_DIALTONE = "NO DIALTONE"


@dataclass(frozen=True, slots=True)
class FinalResult:
    """The line that ended a command.

    Attributes:
        kind: Which final result code it is.
        code: The number of a +CME or +CMS error, also where the modem gave its text; None where unknown.
        text: The line as it came.
    """

    kind: ResultKind
    code: int | None = None
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether the command was carried out."""
        return self.kind in (ResultKind.OK, ResultKind.CONNECT)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for a PDU: answer with ``payload()`` or ``cancel()`` (3GPP TS 27.005 3.5.1)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The outstanding command ended.

    Attributes:
        result: Its final result.
        lines: What it said before, without echo, blank lines and URCs.
    """

    result: FinalResult
    lines: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Urc:
    """An unsolicited result code.

    Attributes:
        name: Its name in the table, such as ``+CMTI`` or ``RING``.
        line: The whole line; a +CUSD text that spans lines is joined with line feeds.
        body: The line that +CMT, +CDS and +CBM own (3GPP TS 27.005 3.4.1); None if there was none.
    """

    name: str
    line: str = field(repr=False)
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Noise:
    """A line that belongs to no command: boot messages, garbage, or what an abandoned command said too late."""

    line: str = field(repr=False)


Event = Prompt | Reply | Urc | Noise
