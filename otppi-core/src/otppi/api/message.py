"""A message on its way out, as plugins see it, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from otppi.wire.msisdn import service_number


class State(StrEnum):
    """The life of a message: queued → sending → sent → delivered | undelivered, or one of the other ends."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    """The operator's SMSC accepted it (+CMGS with its TP-MR, 3GPP TS 27.005 3.5.1); not yet "delivered"."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    BLOCKED = "blocked"
    UNCONFIRMED = "unconfirmed"
    LOST = "lost"
    """The power took it: its text is gone, and perhaps the knowledge of what became of it (the response code says)."""

    @property
    def final(self) -> bool:
        """Whether the sender's wait is over (a later status report may still turn `sent` into `delivered`)."""
        return self not in (State.QUEUED, State.SENDING)

    @property
    def went_out(self) -> bool:
        """Whether the text is, or may be, on its way to the receiver: sending it again would send it twice."""
        return self not in (State.FAILED, State.EXPIRED, State.BLOCKED)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a modem is asked to send. `validity` is the rest of its life in seconds (TP-VP, 3GPP TS 23.040 9.2.3.12).

    `destination` is an international number's digits, or an operator's service number; `number` is how it is dialled.
    `progress` is shared by all attempts on the same modem: a message of several parts goes on at the failed part.
    """

    message_id: str
    destination: str
    text: str = field(repr=False)
    validity: float
    flash: bool = False
    report: bool = False
    """Whether the network is asked for a status report (TP-SRR, 3GPP TS 23.040 9.2.3.5)."""
    again: bool = False
    """An attempt after an unconfirmed one: TP-RD asks the SMSC to reject a duplicate (3GPP TS 23.040 9.2.3.25)."""
    progress: "Progress" = field(default_factory=lambda: Progress())

    @property
    def number(self) -> str:
        """The destination as it is dialled: ``+62812…``, or a service number as it is, ``4444``."""
        return service_number(self.destination) or f"+{self.destination}"


@dataclass(slots=True)
class Progress:
    """How far a message got. The modem writes it, the gateway reads it.

    `before_dispatch` must be called right before the bytes that may make the network take the message (Ctrl-Z): it is
    how a crash between there and the answer is told as `unconfirmed`. `meanwhile` may be called whenever modem or
    network has to be waited for: the gateway then ends the message before and prepares the next one.
    """

    concatenation_reference: int | None = None
    segments: int = 0
    references: list[int] = field(default_factory=list)
    """TP-MR of each part that the SMSC accepted, in order."""
    before_dispatch: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None
