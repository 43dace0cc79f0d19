"""Lines of the report, read again: a message that ended, or a state that one came to later."""

import json
import math
import time
from dataclasses import dataclass, field
from typing import Any

from otppi.api.message import State
from otppi.host.numbering.receivers import prefix_of
from otppi.host.records.encoding import DAMAGED


@dataclass(frozen=True, slots=True)
class ReportedMessage:
    """A message that ended, as its line tells.

    Attributes:
        at: When it ended, in Unix seconds.
        message_id: Its id.
        client_id: The sender's own number for it; empty where there was none.
        receiver: The receiver as the report shows it.
        state: The state in which it ended.
        egress: The internal name of the modem or mail account; empty where none had it.
        segments: The parts that went out.
        source: Ingress and user, with a slash between.
        seconds: From when it was taken in until it ended.
        code: The response code.
        price: What it cost, in the currency that prices are set in.
    """

    at: float
    message_id: str
    client_id: str
    receiver: str = field(repr=False)
    state: State
    egress: str
    segments: int
    source: str
    seconds: float
    code: str
    price: float

    @property
    def prefix(self) -> str:
        """What messages to such receivers are added up by."""
        return prefix_of(self.receiver)


@dataclass(frozen=True, slots=True)
class LaterState:
    """A state that a message came to after its line was written.

    Attributes:
        at: When that was told, in Unix seconds.
        message_id: Of the message.
        state: The state.
        was: The state before; None in lines of versions that did not tell: those move nothing in the sums.
        ended: When the message ended.
        prefix, egress, segments, source, price: As of the message.
    """

    at: float
    message_id: str
    state: State
    was: State | None = None
    ended: float = 0.0
    prefix: str = ""
    egress: str = ""
    segments: int = 0
    source: str = ""
    price: float = 0.0


def read_report_line(raw: bytes) -> ReportedMessage | LaterState | None:
    """Read a line; None where the power cut it short, or it is damaged."""
    try:
        line = json.loads(raw)
        return _message(line) if "r" in line else _later(line)
    except (*DAMAGED, AttributeError, OSError):
        return None


def _message(line: dict[str, Any]) -> ReportedMessage:
    return ReportedMessage(
        _time(line["t"]),
        str(line["m"]),
        str(line.get("i", "")),
        str(line["r"]),
        State(line["s"]),
        str(line.get("by", "")),
        int(line.get("n", 0)),
        str(line.get("from", "")),
        _finite(line.get("d", 0.0)),
        str(line.get("c", "0000")),
        _finite(line.get("p", 0.0)),
    )


def _later(line: dict[str, Any]) -> LaterState:
    at, message_id, state = _time(line["t"]), str(line["m"]), State(line["s"])
    if "o" not in line:
        return LaterState(at, message_id, state)
    ended, was, prefix, egress, segments, source, price = line["o"]
    return LaterState(
        at, message_id, state, State(was), _time(ended), str(prefix), str(egress), int(segments), str(source),
        _finite(price),
    )  # fmt: skip


def _time(written: Any) -> float:
    """Read a time; one that the C library cannot put into a day is none."""
    found = _finite(written)
    time.localtime(found)
    return found


def _finite(written: Any) -> float:
    found = float(written)
    if not math.isfinite(found):
        raise ValueError("it is not finite")
    return found
