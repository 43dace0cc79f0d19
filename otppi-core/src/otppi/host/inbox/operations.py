"""The operations on the inbox; messages are named by their id."""

from dataclasses import asdict
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.ingress import ReceivedMessage
from otppi.api.operations import Operation, Role
from otppi.api.settings import boolean, number, text, text_list
from otppi.host.inbox.inbox import Inbox
from otppi.host.runtime.registry import LONGEST_WAIT, HostCall
from otppi.text import _, labelled
from otppi.wire.errors import FieldError
from otppi.wire.msisdn import service_number

_NONE = _("there is no message of this id in the inbox")
_IDS = text_list("message_ids", _("Messages"), _("ids as inbox list prints them"))
_READ = boolean("read", _("Read"), _("whether it counts as read"), True, required=True)
_ID = text("message_id", _("Message"), _("id as inbox list prints it"), required=True)
WAIT = number(
    "wait",
    _("Wait"),
    _("seconds to wait for its end, 0 to 120 (default: 15)"),
    15.0,
    minimum=0,
    maximum=LONGEST_WAIT,
    unit=_("s"),
)
"""The parameter that says how long a person waits for what becomes of a message."""
_EXAMPLE = "3f1c9a0b77d2e481"


def _list(call: HostCall, unread: bool, modem: str) -> list[dict[str, Any]]:
    """List the messages, those of one modem or those that nobody has read, oldest first; listing reads none."""
    listed = (one for one in call.part(Inbox).messages() if modem in ("", one.modem))
    return [_described(one) for one in listed if not (unread and one.read)]


def _show(call: HostCall, message_id: str) -> dict[str, Any]:
    """Show one message, which is read then."""
    message = call.part(Inbox).show(message_id)
    if message is None:
        raise _unknown(message_id)
    return _described(message)


def _mark(call: HostCall, message_id: str, read: bool) -> dict[str, Any]:
    if not call.part(Inbox).mark(message_id, read=read):
        raise _unknown(message_id)
    return {"message_id": message_id, "read": read}


def _mark_several(call: HostCall, message_ids: list[str], read: bool) -> dict[str, Any]:
    """Mark messages; those that are gone meanwhile are not minded."""
    inbox = call.part(Inbox)
    return {"marked": sum(inbox.mark(message_id, read=read) for message_id in message_ids), "read": read}


def _delete(call: HostCall, message_ids: list[str]) -> dict[str, Any]:
    return {"deleted": call.part(Inbox).delete(message_ids)}


def _reply(call: HostCall, message_id: str, message: str, wait: float) -> Any:
    """Answer a message by the modem that it came to; return the answer's state after at most `wait` seconds.

    Raises:
        InvalidSettings: There is no such message, it came damaged, its sender is no number, or the text is not valid.
    """
    received = call.part(Inbox).show(message_id)
    if received is None:
        raise _unknown(message_id)
    if reason := why_no_reply(received.originator, damaged=received.damaged):
        raise InvalidSettings([FieldError("message_id", reason)])
    return call.perform("send", receiver=received.originator, message=message, modem=received.modem, wait=wait)


def why_no_reply(originator: str, *, damaged: bool) -> str:
    """Return why nobody can reply to a message; empty where one can."""
    if damaged:
        return _("it came damaged, and its sender may be wrong: write to the number yourself")
    if not (originator.lstrip("+").isdigit() or service_number(originator)):
        return _("its sender is no number: nobody can reply to it")
    return ""


def _export(call: HostCall) -> str:
    """Write the messages as CSV, oldest first; reading them so reads none."""
    from otppi.host.inbox.inbox_csv import written  # with what few ever need

    return "".join(written(call.part(Inbox).messages()))


def _unknown(message_id: str) -> InvalidSettings:
    return InvalidSettings([FieldError("message_id", labelled(_NONE, repr(message_id)))])


def _described(message: ReceivedMessage) -> dict[str, Any]:
    described = asdict(message) | {"modem_id": message.modem, "missing": list(message.missing)}
    del described["modem"]
    return described


OPERATIONS = (
    Operation(
        name="inbox_list",
        title=_("Inbox"),
        help=_("List the messages that came in, oldest first, with the beginning of each text."),
        handler=_list,
        parameters=(
            boolean("unread", _("Unread"), _("only those that nobody has read"), False),
            text("modem", _("Modem"), _("only what came in by this modem")),
        ),
        role=Role.OPERATOR,
        reads_only=True,
        command="inbox list",
        examples=("", "--unread --json | jq -r .[].text", "--modem m0"),
    ),
    Operation(
        name="inbox_show",
        title=_("Show a message"),
        help=_("Show a message, and mark it as read."),
        handler=_show,
        parameters=(_ID,),
        role=Role.OPERATOR,
        subject="message_id",
        command="inbox show",
        positional=("message_id",),
        examples=(_EXAMPLE, f"{_EXAMPLE} --keep-unread"),
    ),
    Operation(
        name="inbox_mark",
        title=_("Mark a message as read"),
        help=_("Mark a message as read, or as not read."),
        handler=_mark,
        parameters=(_ID, _READ),
        role=Role.OPERATOR,
        subject="message_id",
    ),
    Operation(
        name="inbox_mark_several",
        title=_("Mark messages as read"),
        help=_("Mark messages as read, or as not read. Those that are not there do no harm."),
        handler=_mark_several,
        parameters=(_IDS, _READ),
        role=Role.OPERATOR,
    ),
    Operation(
        name="inbox_delete",
        title=_("Delete messages"),
        help=_("Delete messages. Those that are not there do no harm."),
        handler=_delete,
        parameters=(_IDS,),
        role=Role.OPERATOR,
        command="inbox delete",
        positional=("message_ids",),
        examples=(_EXAMPLE, "--read"),
    ),
    Operation(
        name="inbox_reply",
        title=_("Answer a message"),
        help=_("Answer a message by the modem that it came to, and say what became of the answer."),
        handler=_reply,
        parameters=(
            _ID,
            text("message", _("Text"), _("the text; - or nothing reads it from stdin")),
            WAIT,
        ),
        role=Role.OPERATOR,
        waits=True,
        subject="message_id",
        command="inbox reply",
        positional=("message_id", "message"),
        examples=(f"{_EXAMPLE} 'Thank you'",),
    ),
    Operation(
        name="inbox_export",
        title=_("Export the inbox"),
        help=_("Print all messages that came in, with their texts, as CSV."),
        handler=_export,
        role=Role.ADMINISTRATOR,
        reads_only=True,
        audit=True,
        command="inbox export",
        examples=("> inbox.csv",),
    ),
)
