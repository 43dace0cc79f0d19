"""Events: what comes from a modem of its own accord, and what the gateway tells everybody who subscribes.

The first part is for modem drivers: `ModemEvents` is where they tell a status report, a message or a USSD answer. The
second part is what the gateway's event bus carries: frozen, never with the text of a message that is sent, and with
`repr=False` at all that a log should not have.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from otppi.api.egress import Channel, EgressState
from otppi.api.ingress import Callback, ReceivedMessage
from otppi.api.message import State
from otppi.wire.envelope import ResponseCode

# -- what comes from a modem -------------------------------------------------------------------------------------------


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


# -- what the gateway tells --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all that the event bus carries; subscribe to it to be told everything.

    Attributes:
        at: When it happened, in Unix seconds.
    """

    at: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True, slots=True)
class MessageEvent(Event):
    """Something happened to a message that is sent. Its text is not here, and cannot be had from here.

    Attributes:
        message_id: The gateway's number of it.
        client_id: The sender's own one, where there is one.
        channel: By what it goes.
        receiver: The receiver as logs and report show it: masked where the settings want that.
        ingress, sender: What it came in by, and who sent it.
        state: What it is now.
        code: The response code of that.
        egress: The name of what sends it; None as long as that is not decided.
        segments: How many parts went out.
        cause: Why it is so, where it did not go as it should.
        reference: What the sender wants to have back in every answer.
        created: When it came in, in Unix seconds.
        discharged: When the network delivered it or gave it up, in Unix seconds, as a status report says.
        answer_to: Who wants to be told of later states: the key of the ingress, and where there.
        unanswered: Whether no answer tells this state, so that only `answer_to` does: a status report brought it, or
            an earlier run of the gateway took the message in.
    """

    message_id: str
    client_id: str | None = field(repr=False)
    channel: Channel
    receiver: str = field(repr=False)
    ingress: str
    sender: str
    state: State
    code: ResponseCode
    egress: str | None
    segments: int
    cause: str | None
    reference: str | None = field(repr=False)
    created: float
    discharged: float | None
    answer_to: tuple[str, Callback] | None = field(repr=False)
    unanswered: bool

    def as_data(self) -> dict[str, Any]:
        """Return the message as answers and the webhook tell it to its sender."""
        return state_data(
            self.message_id,
            self.client_id,
            self.state,
            channel=self.channel,
            reference=self.reference,
            egress=self.egress,
            segments=self.segments,
            cause=self.cause,
            discharged=self.discharged,
        )


def state_data(
    message_id: str,
    client_id: str | None,
    state: State,
    *,
    channel: Channel,
    reference: str | None,
    egress: str | None,
    segments: int,
    cause: str | None,
    discharged: float | None,
) -> dict[str, Any]:
    """Return the data of an answer on one message; what is not known is left out."""
    data: dict[str, Any] = {"id": client_id, "message_id": message_id, "state": state.value}
    if reference is not None:
        data["reference"] = reference
    if egress is not None:
        if channel is Channel.SMS:
            data["modem_id"] = data["modemID"] = egress  # the second is the original's name for it
        else:
            data["mail_account"] = egress
    if segments:
        data["segments"] = segments
    if cause is not None:
        data["cause"] = cause
    if discharged is not None:
        data["discharged"] = round(discharged)
    return data


@dataclass(frozen=True, slots=True)
class MessageTaken(MessageEvent):
    """A message was taken in, and waits. Told by the thread that brought it; its egress may have told more already."""


@dataclass(frozen=True, slots=True)
class MessageSending(MessageEvent):
    """An egress begins to send a message: again, where an attempt before did not go out."""


@dataclass(frozen=True, slots=True)
class MessageEnded(MessageEvent):
    """A message has ended; also one that was not taken in for good, such as to a blocked receiver.

    Told after those who wait for the answer. `state` may be a later one already, of which `MessageChanged` tells too.
    """


@dataclass(frozen=True, slots=True)
class MessageChanged(MessageEvent):
    """A message that had ended has another state: by a status report, or by a result that came late."""


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """A message came in to an egress, whole or without parts that did not come. It has its text: never log it."""

    message: ReceivedMessage = field(repr=False)


@dataclass(frozen=True, slots=True)
class EgressChanged(Event):
    """What sends has another state, such as `ready` or `blocked`; `detail` says why, to a person."""

    channel: Channel
    egress: str
    state: EgressState
    detail: str


@dataclass(frozen=True, slots=True)
class ServiceChanged(Event):
    """A thread of the gateway's own began to run, ended, or failed; `detail` says how it failed last."""

    service: str
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class BalanceLow(Event):
    """The balance of an egress' SIM card fell below the threshold that is set."""

    egress: str
    balance: float
    threshold: float


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    """A user's password was checked and is right; one that is known to be right is not told again."""

    user: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoginFailed(Event):
    """A login failed: `reason` is one of `otppi.host.logins.login_log.REASONS`.

    Attributes:
        user: The user; None where there is none of the name that was given, which may be a password.
        address: Where it came from. There may be any number of these events: who keeps them has to bound them.
    """

    user: str | None
    address: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class SettingsChanged(Event):
    """Sections of the settings have new values, which are in use; only their keys are told."""

    sections: tuple[str, ...]


E = TypeVar("E", bound=Event)


class Subscribed(Protocol):
    """One subscription to events."""

    def end(self) -> None:
        """Unsubscribe (any thread; safe to call twice)."""


class Events(Protocol):
    """The event bus, for who subscribes to it. Any thread."""

    def subscribe(self, kind: type[E], subscriber: Callable[[E], None], /) -> Subscribed:
        """Have `subscriber` called with each event of a kind, or of a kind that is derived from it.

        It is called on the thread on which the event happens, which may be that of a modem: it is quick, waits for
        nothing, and puts what takes time into a queue of its own. What it raises is logged.
        """
