"""Debian's security updates: by choice, once a day, within the hours, and never while a message waits."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otppi.api.errors import InvalidSettings
from otppi.host.core import declarations, load_plugins
from otppi.host.settings.config import Config
from otppi.host.storage.store import Store
from otppi.host.update.security import SecurityUpdates, in_span
from otppi.kit import system_units
from otppi.kit.system_units import UnitError
from otppi.testing.waiting import until

NIGHT = 1_800_000_000 - 1_800_000_000 % 86_400 + 3 * 3600
"""03:00 of a day, UTC."""


class Device:
    """A device at a time; which units were started; what they do."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "settings.json")
        self.config = Config(self.store, declarations(load_plugins()))
        self.now, self.quiet = float(NIGHT), True
        self.started: list[str] = []
        self.fails = ""
        self.meanwhile: Callable[[], None] = lambda: None
        self.outcome = folder / "security"
        self.updates = SecurityUpdates(
            self.config, lambda: self.quiet, outcome=self.outcome, clock=lambda: self.now, start=self._start
        )

    def choose(self, **values: object) -> None:
        self.config.update({"updates": {"security": True, **values}})

    def _start(self, unit: str, _timeout: float) -> None:
        self.started.append(unit.partition("@")[2].partition(".")[0])
        if self.fails == self.started[-1]:
            raise UnitError("no network")
        self.meanwhile()
        if self.started[-1] == "install":
            self.outcome.write_text('{"packages":3,"restart":true}')

    def minute(self, seconds: float = 60) -> None:
        self.now += seconds
        self.updates.tidy()
        thread = self.updates._thread
        until(lambda: thread is None or not thread.lives, "they are never done")


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    monkeypatch.setenv(system_units.IN_USE, "1")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    one = Device(tmp_path)
    yield one
    one.store.close()
    monkeypatch.undo()
    time.tzset()


def test_never_unless_somebody_has_chosen_it(device: Device) -> None:
    device.minute()
    assert device.started == []
    assert device.updates.describe()["said"] == "They are switched off."


def test_once_a_day(device: Device) -> None:
    device.choose()
    for _minute in range(5):
        device.minute()
    assert device.started == ["fetch", "install"]
    told = device.updates.describe()
    assert (told["packages"], told["restart"]) == (3, True)
    assert told["said"] == "3 packages were installed."
    device.minute(86_400)
    assert device.started == ["fetch", "install"] * 2


def test_only_within_the_hours(device: Device) -> None:
    device.choose(hours="04:00-05:00")
    device.minute()
    assert device.started == []
    device.minute(3600)
    assert device.started == ["fetch", "install"]


def test_never_while_a_message_waits(device: Device) -> None:
    device.choose()
    device.quiet = False
    device.minute()
    assert device.started == []
    device.quiet = True
    device.meanwhile = lambda: setattr(device, "quiet", False)  # one comes while they are fetched
    device.minute()
    assert device.started == ["fetch"]
    device.minute()
    assert device.started == ["fetch"]
    device.quiet, device.meanwhile = True, lambda: None
    device.minute()
    assert device.started == ["fetch", "fetch", "install"]


@pytest.mark.parametrize("unit", ["fetch", "install"])
def test_what_fails_is_tried_an_hour_later(device: Device, unit: str) -> None:
    device.choose(hours="00:00-23:00")
    device.fails = unit
    device.minute()
    device.minute()
    first = list(device.started)
    assert first[-1] == unit
    assert "no network" in device.updates.describe()["said"]
    device.fails = ""
    device.minute(3700)
    assert device.started == [*first, "fetch", "install"]
    assert device.updates.describe()["said"] == "3 packages were installed."


def test_not_where_there_are_no_units_nor_at_the_end(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.choose()
    monkeypatch.delenv(system_units.IN_USE)
    device.minute()
    assert device.updates.describe() == {}
    monkeypatch.setenv(system_units.IN_USE, "1")
    device.updates.stop()
    device.minute()
    assert device.started == []


@pytest.mark.parametrize("hours", ["02:00-02:00", "2-5", "", "25:00-26:00"])
def test_hours_that_are_none_are_refused(device: Device, hours: str) -> None:
    with pytest.raises(InvalidSettings):
        device.choose(hours=hours)


@pytest.mark.parametrize(
    ("span", "hour", "within"),
    [("02:00-05:00", 2, True), ("02:00-05:00", 5, False), ("22:00-04:00", 23, True), ("22:00-04:00", 3, True),
     ("22:00-04:00", 4, False)],
)  # fmt: skip
def test_spans(device: Device, span: str, hour: int, within: bool) -> None:
    assert os.environ["TZ"] == "UTC"
    assert in_span(span, NIGHT - 3 * 3600 + hour * 3600) is within
