"""What follows from an outcome: which state may follow which, what an attempt costs, and how an error reads."""

from otppi.api.errors import SendError
from otppi.api.message import State
from otppi.host.records.record import Record

REPORTED_ON = frozenset({State.SENT, State.UNCONFIRMED})
"""States in which a status report is waited for."""
BECOMES = {
    State.SENT: frozenset({State.UNCONFIRMED}),
    State.DELIVERED: frozenset({State.SENT, State.UNCONFIRMED, State.UNDELIVERED}),
    State.UNDELIVERED: frozenset({State.SENT, State.UNCONFIRMED}),
}
"""From which states a message may come to one of these, once it has ended."""


def segments_out(record: Record, state: State) -> int:
    """Count what an attempt costs: all of a message that went out or may have, else the parts that were accepted."""
    whole = record.progress.segments or max(record.parts, 1)
    return whole if state.went_out else len(record.progress.references)


def cause_of(error: SendError) -> str:
    """Return an error's sentence with the number that the modem gave."""
    return f"{error.cause} ({error.code})" if error.code else error.cause
