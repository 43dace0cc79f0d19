from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otppi.api.errors import ModemLost, NotSent, Trouble
from otppi.api.message import OutgoingMessage
from otppi.api.modem import ModemContext
from otppi.kit.at import channel as at_channel
from otppi.kit.at import line as at_line
from otppi.kit.at.modem import AtModem
from otppi.simulator import ModemProfile, ModemRack
from otppi.testing.scripted import RecordedEvents, until

PATIENT = 60.0
"""Seconds for what comes in the end: a busy machine makes no modem silent."""
COMMAND_TIME = 0.0003
"""Seconds: a quick modem's, which answers apart from its echo all the same. Opening takes some forty commands."""


class Driver:
    """A rack of one modem and its driver, which waits long unless `give_up_after` says otherwise."""

    def __init__(self, folder: Path, profile: ModemProfile | None = None, **settings: Any) -> None:
        self.rack = ModemRack(profile=replace(profile or ModemProfile(), command_time=COMMAND_TIME))
        self.peer = self.rack.modems[0]
        self.folder = folder
        self.events = RecordedEvents()
        self._settings = settings
        self.modem = self.anew()

    def anew(self, **settings: Any) -> AtModem:
        """Make another driver for the same modem, as a restart does."""
        values = {
            "name": "m0",
            "port": str(self.peer.path),
            "baud_rate": 115_200,
            "parity_bit": "none",
            "stop_bits": 1,
            "sim_card_pin": "",
            "sms_center": "",
            "prompt_timeout": PATIENT,
            "result_timeout": PATIENT,
        }
        self._values = values | self._settings | settings
        context = ModemContext(self._values, self.folder, self.events)
        self.modem = AtModem(context)
        return self.modem

    def give_up_after(self, *, prompt: float = PATIENT, result: float = PATIENT) -> None:
        """Set for how many seconds the driver waits from now on for what the modem is going to keep to itself."""
        self._values |= {"prompt_timeout": prompt, "result_timeout": result}

    def message(self, text: str = "a text", **options: Any) -> OutgoingMessage:
        return OutgoingMessage(text, "6281234567890", text, 600.0, **options)

    def send(self, text: str = "a text") -> OutgoingMessage:
        message = self.message(text)
        self.modem.send(message)
        return message

    def send_at_last(self, text: str) -> int:
        """Send as the gateway does: again where nothing went out, opened anew where it was lost; give the attempts."""
        for attempt in range(1, 6):
            try:
                self.send(text)
            except ModemLost:
                self.reopen()
            except NotSent:
                continue
            else:
                return attempt
        raise AssertionError("it was never sent")

    def reopen(self, attempts: int = 5) -> None:
        """Open it as the gateway does, until it is open."""
        for attempt in range(attempts):
            self.modem.close()
            until(self.peer.path.exists, "the modem is plugged in")
            try:
                self.modem.open()
            except ModemLost:
                if attempt == attempts - 1:
                    raise
            else:
                return

    @property
    def texts(self) -> list[str]:
        """What arrived, in order."""
        return [message.text for message in self.rack.network.messages]

    def close(self) -> None:
        self.modem.close()
        self.rack.close()


@pytest.fixture
def make_driver(tmp_path: Path, no_leaks: None) -> Iterator[Callable[..., Driver]]:
    drivers: list[Driver] = []

    def make(**options: Any) -> Driver:
        drivers.append(Driver(tmp_path, **options))
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.close()
    drivers.clear()


@pytest.fixture
def driver(make_driver: Callable[..., Driver]) -> Driver:
    return make_driver()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_line, "_LONG_TIMEOUT", 0.2)
    monkeypatch.setattr(at_channel, "_PROBE_TIMEOUT", 0.15)


def trouble_of_opening(driver: Any) -> Trouble:
    with pytest.raises(ModemLost) as caught:
        driver.modem.open()
    driver.modem.close()
    return caught.value.trouble
