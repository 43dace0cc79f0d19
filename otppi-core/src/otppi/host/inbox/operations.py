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


def _list(call: HostCall, unread: bool) -> list[dict[str, Any]]:
    """List the messages, or those that nobody has read, oldest first; listing reads none."""
    return [_described(one) for one in call.part(Inbox).messages() if not (unread and one.read)]


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
    if received.damaged:
        reason = _("it came damaged, and its sender may be wrong: write to the number yourself")
        raise InvalidSettings([FieldError("message_id", reason)])
    if not (received.originator.lstrip("+").isdigit() or service_number(received.originator)):
        raise InvalidSettings([FieldError("message_id", _("its sender is no number: nobody can reply to it"))])
    return call.perform("send", receiver=received.originator, message=message, modem=received.modem, wait=wait)


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
        parameters=(boolean("unread", _("Unread"), _("only those that nobody has read"), False),),
        role=Role.OPERATOR,
        reads_only=True,
        command="inbox list",
        examples=("", "--unread --json | jq -r .[].text"),
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
        parameters=(_ID, boolean("read", _("Read"), _("whether it counts as read"), True, required=True)),
        role=Role.OPERATOR,
        subject="message_id",
    ),
    Operation(
        name="inbox_delete",
        title=_("Delete messages"),
        help=_("Delete messages. Those that are not there do no harm."),
        handler=_delete,
        parameters=(text_list("message_ids", _("Messages"), _("ids as inbox list prints them")),),
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
        subject="message_id",
        command="inbox reply",
        positional=("message_id", "message"),
        examples=(f"{_EXAMPLE} 'Thank you'",),
    ),
)
