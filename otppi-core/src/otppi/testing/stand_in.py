"""A gateway that stands in for the host's in tests of ingresses: it reads as the host does, and sends nothing."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from otppi.api.errors import AuthenticationFailed
from otppi.api.ingress import Origin, Sender
from otppi.wire.envelope import Answer, Envelope, Item, ResponseCode, parse

Judge = Callable[[Item], tuple[ResponseCode, Mapping[str, Any]]]


def sent(item: Item) -> tuple[ResponseCode, Mapping[str, Any]]:
    """Answer that the network took a message."""
    return ResponseCode.SUCCESS, {"id": item.id, "message_id": "0123456789abcdef", "state": "sent", "modem_id": "m0"}


class StandInTicket:
    """A command's ticket: final at once, or when the gateway releases it."""

    def __init__(self, make: Callable[[], Answer], begun: Callable[[], bool] = lambda: False) -> None:
        self._make = make
        self._begun = begun
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Answer], None]] = []
        self._final: Answer | None = None
        self.withdrawn = False

    def answer(self, wait: float = 0.0) -> Answer:  # noqa: ARG002 - nobody waits in these tests
        """Return the answer."""
        return self._final or self._make()

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        """Call back when it is released, or now where it has been."""
        with self._lock:
            if self._final is None:
                self._callbacks.append(callback)
                return
        callback(self._final)

    def withdraw(self) -> None:
        """Note that its source delivers it again; it is final where no modem has begun to send it."""
        self.withdrawn = True
        if not self._begun():
            self._end(self._not_sent)

    def _not_sent(self) -> Answer:
        made = self._make()
        return Answer(made.command, ResponseCode.NO_MODEM, data={**_of_one(made.data), "state": "failed"})

    def is_held(self) -> bool:
        """Wait for no modem."""
        return False

    def release(self) -> None:
        """Make it final."""
        self._end(self._make)

    def _end(self, make: Callable[[], Answer]) -> None:
        with self._lock:
            if self._final is None:
                self._final = make()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self._final)


class StandInGateway:
    """The gateway. A test changes what it should do, and looks at what it was given.

    Attributes:
        hold: Whether commands stay on their way until `release`.
        begun: Whether modems have begun to send what is on its way: then it cannot be withdrawn.
        judge: What becomes of a message.
        room: What `capacity` gives.
        taken: What was submitted.
    """

    def __init__(self) -> None:
        self.hold = False
        self.begun = False
        self.judge: Judge = sent
        self.room = 100
        self.taken: list[tuple[Envelope, Origin]] = []
        self.tickets: list[StandInTicket] = []

    def texts(self) -> list[str]:
        """Return the texts that were submitted, in order."""
        return [item.message or "" for envelope, _ in self.taken for item in envelope.items]

    def ids(self) -> list[str]:
        """Return the senders' ids of what was submitted, in order; empty where there is none."""
        return [item.id or "" for envelope, _ in self.taken for item in envelope.items]

    def release(self) -> None:
        """Make all that is on its way final."""
        for ticket in list(self.tickets):
            ticket.release()

    # -- otppi.api.ingress.Gateway ----------------------------------------------------------------------------------

    def recognise(self, username: str, password: str) -> Sender | None:  # noqa: ARG002
        """Know nobody."""
        return None

    def recognise_token(self, token: str) -> Sender | None:  # noqa: ARG002
        """Know nobody."""
        return None

    def authenticate(self, username: str, password: str, address: str) -> Sender:  # noqa: ARG002
        """Know nobody."""
        raise AuthenticationFailed("nobody is known here")

    def authenticate_token(self, token: str, address: str) -> Sender:  # noqa: ARG002
        """Know nobody."""
        raise AuthenticationFailed("nobody is known here")

    def read(self, body: bytes, ingress: str) -> Envelope:  # noqa: ARG002
        """Read a command."""
        return parse(body)

    def keys(self) -> Mapping[str, Any]:
        """Have no keys."""
        return {"keys": []}

    def rotate_keys(self, sender: Sender) -> Mapping[str, Any]:  # noqa: ARG002
        """Have no keys."""
        return {"keys": []}

    def is_quick(self, envelope: Envelope) -> bool:  # noqa: ARG002
        """Promise nothing."""
        return False

    def submit(self, envelope: Envelope, origin: Origin) -> StandInTicket:
        """Take a command."""
        ticket = StandInTicket(lambda: self._answer(envelope), lambda: self.begun)
        if not self.hold:
            ticket.release()
        self.tickets.append(ticket)
        self.taken.append((envelope, origin))
        return ticket

    def message(self, message_id: str, sender: Sender) -> Answer | None:  # noqa: ARG002
        """Know no message."""
        return None

    def capacity(self) -> int:
        """Return the room that the test has set."""
        return self.room

    def health(self) -> Mapping[str, Any]:
        """Be well."""
        return {"status": "ok", "version": "0", "modems": [], "queued": 0}

    def counters(self) -> Mapping[str, Mapping[str, float]]:
        """Count nothing."""
        return {}

    def _answer(self, envelope: Envelope) -> Answer:
        outcomes = [self.judge(item) for item in envelope.items]
        overall = next((code for code, _ in outcomes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
        items = [{"response_code": code.value, "response_text": code.text, **data} for code, data in outcomes]
        return Answer(envelope.name, overall, data=items if envelope.is_list else outcomes[0][1])


def _of_one(data: Any) -> Mapping[str, Any]:
    """Return the data of an answer to one message; nothing of a list's."""
    return data if isinstance(data, Mapping) else {}
