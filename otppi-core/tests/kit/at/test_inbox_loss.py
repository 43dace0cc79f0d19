"""A modem that is lost at any command of the inbox's: no message is lost, none is shown twice, none stays."""

from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemLost
from otppi.api.events import DeliveryReport, InboundPart
from otppi.host.inbox.inbox import Inbox
from otppi.host.inbox.settings import INBOX
from otppi.host.runtime.events import EventBus
from otppi.kit.at.channel import AtChannel
from otppi.testing.scripted import until
from otppi.testing.values import values_of

_OF_INBOX = ("AT+CPMS", "AT+CMGL", "AT+CMGR", "AT+CMGD", "AT+CNMI")


class Held:
    """The events of a modem whose messages go to an inbox."""

    def __init__(self, folder: Path, retention: str) -> None:
        self._values = values_of(INBOX, retention=retention)
        self._path = folder / "inbox.json"
        self.inbox = Inbox(self._values, self._path, EventBus())

    def restart(self) -> None:
        """Do what a kill does."""
        self.inbox = Inbox(self._values, self._path, EventBus())

    def received(self, part: InboundPart) -> bool:
        return self.inbox.received("m0", part)

    def reported(self, report: DeliveryReport) -> None: ...

    @property
    def texts(self) -> list[str]:
        return sorted(message.text for message in self.inbox.messages())


@pytest.mark.parametrize("place", range(1, 12))
@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("retention", ["ram", "card"])
def test_wherever_it_is_lost_each_message_is_shown_once(
    driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, carried_out: bool, retention: str
) -> None:
    held = Held(tmp_path, retention)
    driver.modem._inbox._events = held
    for text in ("one", "two", "three " * 60):
        driver.peer.deliver("+6281200000001", text)
    command, calls = AtChannel.command, 0

    def lost_at(channel: AtChannel, line: str, timeout: float = 5.0, *, body_lines: bool = False) -> tuple[str, ...]:
        nonlocal calls
        calls += line.startswith(_OF_INBOX)
        if calls != place or not line.startswith(_OF_INBOX):
            return command(channel, line, timeout, body_lines=body_lines)
        if carried_out:
            command(channel, line, timeout, body_lines=body_lines)
        if retention == "card":
            held.restart()
        raise ModemLost("it was unplugged")

    monkeypatch.setattr(AtChannel, "command", lost_at)
    driver.reopen()

    def step() -> bool:
        try:
            driver.modem.idle(0.01)
        except ModemLost:
            driver.reopen()
        held.inbox._next_save = 0.0
        held.inbox.tick()
        if driver.modem._inbox._places or driver.modem._inbox._scans:
            return False
        driver.modem._inbox._next_poll = driver.modem._inbox.due = 0.0
        return not any(memory.messages for memory in driver.peer._peer.sim.memories.values())

    until(step, "the memories are empty")
    assert held.texts == ["one", "three " * 60, "two"]
