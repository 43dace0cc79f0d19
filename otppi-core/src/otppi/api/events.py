"""What comes from a modem of its own accord: status reports, messages, USSD answers, and where it tells them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class DeliveryOutcome(StrEnum):
    """What a status report says of a message (3GPP TS 23.040 9.2.3.15)."""

    DELIVERED = "delivered"
    PENDING = "pending"
    """Not yet: the SMSC goes on trying, and another report follows."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """An SMS-STATUS-REPORT (3GPP TS 23.040 9.2.2.3), or what a modem manager made of one.

    Attributes:
        destination: The receiver's digits as the network gives them, without `+`; empty where it does not tell.
        reference: TP-MR of the part that it is about, 0 to 255.
        outcome: What became of the part.
        status: TP-ST, 0 to 255.
        discharged: When, in Unix seconds; None where the network does not tell.
    """

    destination: str
    reference: int
    outcome: DeliveryOutcome
    status: int
    discharged: float | None = None


@dataclass(frozen=True, slots=True)
class InboundPart:
    """An SMS-DELIVER (3GPP TS 23.040 9.2.2.1): a whole message, or one part of it.

    Attributes:
        originator: The sender: digits with `+` where international, or an alphanumeric name; empty of a message that
            cannot be decoded, whose text is the whole PDU.
        text: Its text; of an 8-bit message the octets in hexadecimal. A part may begin or end with half a character of
            UTF-16, whose other half is in its neighbour.
        sent: When the SMSC took it in, in Unix seconds; 0 where nobody tells.
        reference: The concatenation reference; None of a message that has one part.
        number, total: The part's number, from 1, and how many there are.
        binary: Whether `text` is hexadecimal.
        offer: Names this very message, the same whenever it is offered again. Only it tells two messages with one text
            apart where nobody tells when they were sent; empty where the driver has no name for it.
        damaged: Whether some of it may be missing or could not be read: the end of a text, or all of it.
    """

    originator: str
    text: str = field(repr=False)
    sent: float
    reference: int | None = None
    number: int = 1
    total: int = 1
    binary: bool = False
    offer: str = ""
    damaged: bool = False


class UssdStatus(StrEnum):
    """How a USSD session stands after an answer: <m> of +CUSD (3GPP TS 27.007 7.15)."""

    FINISHED = "finished"
    REPLY_WANTED = "reply-wanted"
    ENDED = "ended"
    """Ended by the network."""
    OTHER_CLIENT = "other-client"
    NOT_SUPPORTED = "not-supported"
    TIMED_OUT = "timed-out"


@dataclass(frozen=True, slots=True)
class UssdAnswer:
    """What the network says to a USSD string; `text` is empty where it says nothing."""

    status: UssdStatus
    text: str = field(default="", repr=False)


class ModemEvents(Protocol):
    """Where a modem tells what came. All of it is called on the modem's own thread; it is quick and does not raise."""

    def reported(self, report: DeliveryReport) -> None:
        """Take a status report."""

    def received(self, part: InboundPart) -> bool:
        """Take a message or a part of one; True when it is held, and may be deleted from the modem's memory."""

    def answered(self, answer: UssdAnswer) -> None:
        """Take the answer to the USSD string that was sent last, or what the network says of its own accord."""

    def accepted_late(self, message_id: str, reference: int) -> None:
        """Take a +CMGS that came after its message had become `unconfirmed`: the SMSC has the part after all."""


class NoEvents:
    """Takes everything and does nothing with it: for a modem that is only asked who it is."""

    def reported(self, report: DeliveryReport) -> None:
        """Drop it."""

    def received(self, part: InboundPart) -> bool:  # noqa: ARG002 - it is not even looked at
        """Hold nothing: the message stays where it is."""
        return False

    def answered(self, answer: UssdAnswer) -> None:
        """Drop it."""

    def accepted_late(self, message_id: str, reference: int) -> None:
        """Drop it."""
