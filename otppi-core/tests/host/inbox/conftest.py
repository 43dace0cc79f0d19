"""An inbox with what it told, and parts that come in."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from otppi.api.events import InboundPart, MessageReceived
from otppi.api.ingress import ReceivedMessage
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.settings import INBOX
from otppi.host.runtime.events import EventBus
from otppi.testing.values import values_of

SECRET = "kode rahasia 731904"


def part(text: str = "a text", number: int = 1, total: int = 1, **changes: Any) -> InboundPart:
    reference = 7 if total > 1 else None
    made = InboundPart("+6281200000001", text, 1_700_000_000.0, reference, number, total)
    return dataclasses.replace(made, **changes)


class Bench:
    """An inbox without its thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "inbox.json"
        self.told: list[ReceivedMessage] = []
        self.values = values_of(INBOX)
        self.inbox = self.anew()

    def anew(self, **changes: Any) -> Inbox:
        """Make it anew, as a restart does."""
        self.values = values_of(INBOX, **{**self.values, **changes})
        events = EventBus()
        events.subscribe(MessageReceived, lambda event: self.told.append(event.message))
        self.inbox = Inbox(self.values, self.path, events)
        return self.inbox

    def receive(self, *parts: InboundPart, modem: str = "m0") -> list[bool]:
        held = [self.inbox.received(modem, one) for one in parts]
        self.inbox.tick()
        return held

    def age(self, seconds: float) -> None:
        for assembly in self.inbox._kept.values():
            assembly.since -= seconds
        self.inbox._next_save = 0.0
        self.inbox.tick()

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.inbox.messages()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
