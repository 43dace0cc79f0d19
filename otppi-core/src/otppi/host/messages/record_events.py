"""A record as an event: all of it that others may see."""

from typing import TypeVar

from otppi.api.events import MessageEvent
from otppi.host.records.names import shown_name
from otppi.host.records.record import Record

M = TypeVar("M", bound=MessageEvent)


def event_of(kind: type[M], record: Record, *, unanswered: bool = False) -> M:
    """Return an event on a message as it stands; see `MessageEvent` for `unanswered`."""
    return kind(
        record.message_id,
        record.client_id,
        record.channel,
        record.receiver_shown,
        record.origin.ingress,
        record.origin.sender.name,
        record.state,
        record.code,
        None if record.egress is None else shown_name(record.channel, record.egress),
        record.segments,
        record.cause,
        record.reference,
        record.created,
        record.discharged,
        record.answer_to,
        unanswered,
    )
