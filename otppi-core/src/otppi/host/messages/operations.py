"""The operations on the blocking list, and on the messages that came last."""

from typing import Any

from otppi.api.operations import Operation, Role
from otppi.api.settings import integer
from otppi.host.messages.blocklist_operations import OPERATIONS as BLOCKLIST
from otppi.host.messages.dispatch import Dispatch
from otppi.host.records.names import shown_name
from otppi.host.records.record import Record
from otppi.host.runtime.registry import HostCall
from otppi.text import _


def _messages(call: HostCall, limit: int) -> list[dict[str, Any]]:
    """List the messages that came last, newest first: as the log and the report show them, without their texts."""
    return [_described(record) for record in call.part(Dispatch).recent(limit)]


def _described(record: Record) -> dict[str, Any]:
    status, origin = record.status, record.origin  # one look: the status is replaced as a whole
    return {
        "message_id": record.message_id,
        "created": round(record.created, 3),
        "ingress": origin.ingress,
        "sender": origin.sender.name,
        "channel": record.channel.value,
        "receiver": record.receiver_shown,
        "egress": None if status.egress is None else shown_name(record.channel, status.egress),
        "segments": status.segments,
        "state": status.state.value,
        "cause": status.cause,
        "finished": status.finished and round(status.finished, 3),
    }


OPERATIONS = (
    *BLOCKLIST,
    Operation(
        name="messages",
        title=_("Last messages"),
        help=_(
            "List the messages that came last, newest first, and what became of each; never their texts. The report has"
            " the older ones."
        ),
        handler=_messages,
        parameters=(integer("limit", _("Limit"), _("so many messages at most, 1 to 200"), 50, minimum=1, maximum=200),),
        role=Role.VIEWER,
        reads_only=True,
    ),
)
