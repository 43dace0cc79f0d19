"""Owns the answer to a command: the response codes, their HTTP statuses, and the answer's JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from otppi.wire.errors import EnvelopeError


class ResponseCode(Enum):
    """What became of a command.

    Attributes:
        http_status: The HTTP status that goes with the code.
        retry_later: Whether the same request may succeed later: HTTP adds Retry-After.
        text: One sentence for the sender.
    """

    http_status: int
    retry_later: bool
    text: str

    SUCCESS = ("0000", 200, False, "Done")
    UNAUTHORIZED = ("1100", 401, False, "Wrong user name or password, or the user is blocked")
    NO_MODEM = ("1101", 503, False, "No modem is connected that may send this")
    FAILED = ("1102", 502, False, "Failed for good")
    DUPLICATE = ("1201", 200, False, "The same message was taken in before and is not sent again")
    WRONG_OTP = ("1202", 200, False, "The one-time password is wrong")
    EXPIRED = ("1203", 410, False, "Expired")
    BLOCKED = ("1204", 403, False, "The receiver is on the blocking list")
    QUEUE_FULL = ("1205", 503, True, "The queue is full, or it could not be sent before it expires")
    MALFORMED = ("1206", 400, False, "The request is malformed")
    UNCONFIRMED = ("1207", 504, False, "It may or may not have been sent")
    TOO_MANY = ("1208", 429, True, "Too many requests")

    def __new__(cls, code: str, http_status: int, retry_later: bool, text: str) -> Self:
        """Make the code its value, and the rest of the row its attributes."""
        member = object.__new__(cls)
        member._value_ = code
        member.http_status = http_status
        member.retry_later = retry_later
        member.text = text
        return member


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender of a command gets back.

    Attributes:
        command: The command as the sender spelled it.
        code: What became of it.
        text: A sentence about it; the code's own where empty.
        data: What there is to tell: ``message_id``, ``state``…
    """

    command: str
    code: ResponseCode
    text: str = ""
    data: Mapping[str, object] | Sequence[object] | None = field(default=None, repr=False)

    @property
    def http_status(self) -> int:
        """The HTTP status: the code's, or 202 for a message that is still on its way."""
        state = self.data.get("state") if isinstance(self.data, Mapping) else None
        pending = self.code is ResponseCode.SUCCESS and state in ("queued", "sending")
        return 202 if pending else self.code.http_status

    def to_json(self) -> bytes:
        """Write the answer as JSON, in ASCII."""
        document: dict[str, object] = {
            "command": self.command,
            "response_code": self.code.value,
            "response_text": self.text or self.code.text,
        }
        if self.data is not None:
            document["data"] = self.data
        return _ENCODER.encode(document).encode("ascii")


def malformed(error: EnvelopeError, command: str = "") -> Answer:
    """Answer a request that could not be read: ``data.errors`` lists every field and its reason."""
    errors = [{"field": flaw.field, "reason": flaw.reason} for flaw in error.errors]
    return Answer(command, ResponseCode.MALFORMED, data={"errors": errors})
