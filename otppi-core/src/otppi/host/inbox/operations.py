"""What a person can do with the inbox: a part of `otppi.host.control.operations.Operations`."""

from dataclasses import asdict
from typing import Any

from otppi.api.errors import InvalidSettings
from otppi.api.ingress import ReceivedMessage
from otppi.host.modems.operations import ModemOperations
from otppi.wire.errors import FieldError
from otppi.wire.msisdn import service_number

_NONE = "there is no message of this id in the inbox"


class InboxOperations(ModemOperations):
    """On the running gateway's inbox; messages are named by their id."""

    def inbox_list(self, unread: bool = False) -> list[dict[str, Any]]:
        """List the messages, or those that nobody has read, oldest first; listing reads none."""
        return [_described(one) for one in self._running().inbox.messages() if not (unread and one.read)]

    def inbox_show(self, message_id: str) -> dict[str, Any]:
        """Show one message, which is read then."""
        message = self._running().inbox.show(message_id)
        if message is None:
            raise _unknown(message_id)
        return _described(message)

    def inbox_mark(self, message_id: str, read: bool) -> dict[str, Any]:
        """Mark a message as read, or as not read."""
        if not self._running().inbox.mark(message_id, read=read):
            raise _unknown(message_id)
        return {"message_id": message_id, "read": read}

    def inbox_delete(self, message_ids: list[str]) -> dict[str, Any]:
        """Delete messages, of which those that are not there do no harm; say how many there were."""
        return {"deleted": self._running().inbox.delete(message_ids)}

    def inbox_reply(self, message_id: str, message: str, wait: float = 15.0) -> dict[str, Any]:
        """Answer a message by the modem that it came to; give the answer's state after at most `wait` seconds.

        Raises:
            InvalidSettings: There is no such message, it came damaged, its sender is no number, or the text is not
                valid.
        """
        received = self._running().inbox.show(message_id)
        if received is None:
            raise _unknown(message_id)
        if received.damaged:
            reason = "it came damaged, and its sender may be wrong: write to the number yourself"
            raise InvalidSettings([FieldError("message_id", reason)])
        if not (received.originator.lstrip("+").isdigit() or service_number(received.originator)):
            raise InvalidSettings([FieldError("message_id", "its sender is no number: nobody can reply to it")])
        return self.send(received.originator, message, received.modem, wait)


def _unknown(message_id: str) -> InvalidSettings:
    return InvalidSettings([FieldError("message_id", f"{_NONE}: {message_id!r}")])


def _described(message: ReceivedMessage) -> dict[str, Any]:
    described = asdict(message) | {"modem_id": message.modem, "missing": list(message.missing)}
    del described["modem"]
    return described
