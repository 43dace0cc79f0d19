"""A message on its way out, as plugins see it, and what becomes of it."""

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
    """What an egress is asked to send. `validity` is the rest of its life in seconds (TP-VP, 3GPP TS 23.040 9.2.3.12).

    `destination` is an international number's digits, or an operator's service number, and `number` is how it is
    dialled; or an e-mail address. `progress` is shared by all attempts on the same egress: a message of several parts
    goes on at the failed part.
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
    subject: str = field(default="", repr=False)
    """Of an e-mail; empty where its sender gave none."""

    @property
    def number(self) -> str:
        """The destination as it is dialled: ``+62812…``, or a service number as it is, ``4444``."""
        return service_number(self.destination) or f"+{self.destination}"


@dataclass(slots=True)
class Progress:
    """How far a message got. The egress writes it, the gateway reads it."""

    concatenation_reference: int | None = None
    segments: int = 0
    references: list[int] = field(default_factory=list)
    """TP-MR of each part that the SMSC accepted, in order."""
