"""How far a request has come: kept with it while it waits for its sender's password to be checked."""

from concurrent.futures import Future
from dataclasses import dataclass

from otppi.api.ingress import Sender
from otppi.wire.envelope import Envelope


@dataclass(slots=True)
class Progress:
    """What is known of a request (`Request.state`).

    Attributes:
        login: Who sends it, or the future of that.
        taken: Whether the gateway has the command; a fault after that leaves open whether it is sent.
        quick: Whether it is being answered on the thread of all connections, where nothing may wait.
        envelope: Its command, where that was read before it was postponed.
    """

    login: Sender | Future[Sender] | None = None
    taken: bool = False
    quick: bool = False
    envelope: Envelope | None = None
