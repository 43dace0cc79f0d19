"""The operations on the blocking list."""

from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.operations import Offline, Operation, Role
from otppi.api.settings import text
from otppi.host.messages.blocklist import Blocklist
from otppi.host.messages.settings import SMS
from otppi.host.numbering.numbers import numbers_of
from otppi.host.numbering.receivers import receiver_of
from otppi.host.runtime.registry import HostCall
from otppi.host.settings.config import Config
from otppi.text import _, words
from otppi.wire.errors import FieldError, WireError

_LIST = "blocking list"
_RECEIVER = text("receiver", _("Number"), _("telephone number: 0812…, 62812… or +62812…"), required=True)


def _blocked(call: HostCall) -> list[dict[str, Any]]:
    """List the blocked receivers, since when (Unix seconds), and who blocked each."""
    return [
        {"receiver": number, "since": entry.since, "by": entry.by}
        for number, entry in call.part(Blocklist).entries().items()
    ]


def _block(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _msisdn(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).block(number, str(call.actor))}


def _unblock(call: HostCall, receiver: str) -> dict[str, Any]:
    number = _msisdn(call, receiver)
    return {"receiver": number, "changed": call.part(Blocklist).unblock(number)}


def _msisdn(call: HostCall, receiver: str) -> str:
    sms = call.part(Config).one(SMS)
    try:
        return receiver_of(receiver, numbers_of(sms)).key
    except WireError as error:
        raise InvalidSettings([FieldError("receiver", words(error))]) from error


OPERATIONS = (
    Operation(
        name="blocked",
        title=_("Blocking list"),
        help=_("List the blocked numbers."),
        handler=_blocked,
        role=Role.OPERATOR,
        reads_only=True,
        command="block list",
        examples=("--json",),
        offline=Offline.YES,
    ),
    Operation(
        name="block_add",
        title=_("Block a number"),
        help=_("Block a number."),
        handler=_block,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block add",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.CREATES,
    ),
    Operation(
        name="block_remove",
        title=_("Unblock a number"),
        help=_("Unblock a number."),
        handler=_unblock,
        parameters=(_RECEIVER,),
        role=Role.OPERATOR,
        changes=_LIST,
        command="block remove",
        positional=("receiver",),
        examples=("081234567890",),
        offline=Offline.YES,
    ),
)
