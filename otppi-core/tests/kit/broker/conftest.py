"""A consumer that all brokers share, against a gateway whose every answer the test gives, from any thread."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from otppi.api.ingress import Origin, Sender
from otppi.kit.broker.consumer import Consumer
from otppi.kit.broker.outbox import Action, Delivery
from otppi.wire.envelope import Answer, Command, Envelope, Item, ResponseCode, parse

SENT = (ResponseCode.SUCCESS, {"state": "sent", "message_id": "m"})
NO_MODEM = (ResponseCode.NO_MODEM, {"state": "failed", "cause": "no modem"})
FULL = (ResponseCode.QUEUE_FULL, {"state": "failed", "retry_after": 7})
EXPIRED = (ResponseCode.EXPIRED, {"state": "expired"})
BLOCKED = (ResponseCode.BLOCKED, {"state": "blocked"})
UNCONFIRMED = (ResponseCode.UNCONFIRMED, {"state": "unconfirmed"})
REJECTED = (ResponseCode.FAILED, {"state": "failed", "cause": "+CMS ERROR: 38"})
Outcome = tuple[ResponseCode, Mapping[str, Any]]


@dataclass(eq=False)
class Ticket:
    envelope: Envelope
    origin: Origin
    callbacks: list[Callable[[Answer], None]] = field(default_factory=list)
    withdrawn: bool = False
    held: bool = False

    def answer(self, wait: float = 0.0) -> Answer:
        raise AssertionError("a consumer does not wait")

    def when_final(self, callback: Callable[[Answer], None]) -> None:
        self.callbacks.append(callback)

    def withdraw(self) -> None:
        """End what waits, on the thread that asks, as the gateway does."""
        self.withdrawn = True
        if self.envelope.command is not Command.REQUEST_USSD:
            self.end(*[NO_MODEM] * len(self.envelope.items))

    def is_held(self) -> bool:
        return self.held and bool(self.callbacks)

    def end(self, *outcomes: Outcome) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback(answer_of(self.envelope, outcomes))


def answer_of(envelope: Envelope, outcomes: tuple[Outcome, ...]) -> Answer:
    if not envelope.is_list:
        return Answer(envelope.name, outcomes[0][0], data=outcomes[0][1])
    overall = next((code for code, _ in outcomes if code is not ResponseCode.SUCCESS), ResponseCode.SUCCESS)
    data = [{"response_code": code.value, "response_text": code.text, **data} for code, data in outcomes]
    return Answer(envelope.name, overall, data=data)


class Gateway:
    """Keeps the tickets for the test to end; `at_once` ends them when they are made."""

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.at_once: Callable[[Item], Outcome] | None = None
        self.fault: Exception | None = None
        self.unreadable: Exception | None = None

    def read(self, body: bytes, ingress: str) -> Envelope:
        if self.unreadable is not None:
            raise self.unreadable
        return parse(body)

    def submit(self, envelope: Envelope, origin: Origin) -> Ticket:
        if self.fault is not None:
            raise self.fault
        ticket = Ticket(envelope, origin)
        self.tickets.append(ticket)
        if self.at_once is not None:
            answer = answer_of(envelope, tuple(map(self.at_once, envelope.items)))
            ticket.when_final = lambda callback: callback(answer)  # type: ignore[method-assign]
        return ticket


class Bench:
    """A consumer with its gateway; what it does is what the connection's thread would be told to do."""

    def __init__(self, *, requeue: bool = True) -> None:
        self.gateway = Gateway()
        self.woken = threading.Event()
        door: Any = self.gateway  # it has what a consumer asks for
        self.consumer = Consumer(door, "ingress-x", Sender("broker"), self.woken.set, requeue=requeue)

    def take(self, body: object = None, **options: Any) -> Ticket:
        self.deliver(message() if body is None else body, **options)
        return self.gateway.tickets[-1]

    def deliver(self, body: object, **options: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.consumer.consume(Delivery(body=raw, **options))

    def one(self) -> Action:
        (action,) = self.consumer.due()
        return action

    def freeze(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let time stand still, in the middle of a second."""
        now, wall = time.monotonic(), int(time.time()) + 0.5
        monkeypatch.setattr(time, "monotonic", lambda: now)
        monkeypatch.setattr(time, "time", lambda: wall)

    def skip(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        """Let time pass."""
        now, wall = time.monotonic, time.time
        monkeypatch.setattr(time, "monotonic", lambda: now() + seconds)
        monkeypatch.setattr(time, "time", lambda: wall() + seconds)


def message(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"command": "send-sms", "data": {"id": number, "receiver": "08126666666", "message": "the text"}, **more}


def messages(count: int, **more: Any) -> dict[str, Any]:
    return message() | {"data": [message(number)["data"] for number in range(count)]} | more


def told(action: Action) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(action.payload)
    return document


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def local() -> Bench:
    """One whose broker takes nothing back."""
    return Bench(requeue=False)
