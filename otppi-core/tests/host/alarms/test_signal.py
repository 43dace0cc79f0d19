"""The light and the buzzer follow the alarms that are raised, by the image's program and a stand-in for systemd."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from otppi.api.errors import NotSupported
from otppi.host.alarms.book import AlarmChange, AlarmLine
from otppi.host.alarms.settings import ALARMS, AlarmsValues
from otppi.host.alarms.signal import AlarmSignal
from otppi.kit.system_units import IN_USE
from otppi.testing.system_units import SystemUnits
from otppi.testing.waiting import until

from .conftest import Alarmed

PROGRAM = Path(__file__).parents[4] / "overlays/alarms/usr/lib/otppi/alarm-signal"
UNIT = "otppi-alarm@{}.service"
LOST = AlarmLine(AlarmChange.RAISED, "modem", "m0", {}, 0.0)
BROKER = AlarmLine(AlarmChange.RAISED, "ingress", "rabbitmq", {}, 0.0)
LOW = AlarmLine(AlarmChange.RAISED, "balance", "m0", {}, 0.0)


class Device:
    """One with LEDs, as the kernel shows them."""

    def __init__(self, folder: Path, units: SystemUnits) -> None:
        self.leds, self.units = folder / "leds", units
        self.leds.mkdir()
        self.signal = AlarmSignal(self.leds)
        self.seen = 0
        units.define("otppi-alarm@.service", [PROGRAM, "%i", self.leds])

    def wire(self, name: str) -> Path:
        led = self.leds / name
        led.mkdir()
        (led / "trigger").write_text("[none] timer\n")
        for one in ("delay_on", "delay_off", "brightness"):
            (led / one).write_text("0\n")
        return led

    def follow(self, *raised: AlarmLine, **settings: bool) -> list[tuple[str, str]]:
        """Let these be raised, and return the starts and stops that come of it."""
        values: AlarmsValues = {**ALARMS.defaults(), **settings}  # type: ignore[typeddict-item]
        self.signal.follow(raised, values)
        return self.done()

    def done(self) -> list[tuple[str, str]]:
        self.signal.close()
        before, self.seen = self.seen, len(self.units.calls)
        return [one for one in self.units.calls[before:] if one != ("StopUnit", UNIT.format("test"))]


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    monkeypatch.setenv(IN_USE, "1")
    folder = tmp_path / "units"
    folder.mkdir()
    with SystemUnits(folder) as units:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", units.address)
        yield Device(tmp_path, units)


def started(pattern: str) -> tuple[str, str]:
    return "StartUnit", UNIT.format(pattern)


def stopped(pattern: str) -> tuple[str, str]:
    return "StopUnit", UNIT.format(pattern)


def test_what_is_raised_is_shown_until_it_is_over(device: Device) -> None:
    light, _buzzer = device.wire("otppi-alarm"), device.wire("otppi-buzzer")
    assert device.follow(LOW) == [started("light")], "it is no problem: nothing is heard"
    until(lambda: (light / "trigger").read_text() == "timer\n")
    assert device.follow(LOW) == []
    assert device.follow(LOW, LOST) == [stopped("light"), started("both")]
    assert device.signal.is_beeping
    assert device.follow() == [stopped("both")]
    until(lambda: (light / "trigger").read_text() == "none\n")
    assert not device.signal.is_beeping


def test_who_silences_it_hears_what_comes_anew(device: Device) -> None:
    device.wire("otppi-alarm")
    device.wire("otppi-buzzer")
    device.follow(LOST)
    assert device.signal.silence() == 1
    assert device.done() == [stopped("both"), started("light")]
    assert device.follow(LOST) == []
    assert device.follow(LOST, BROKER) == [stopped("light"), started("both")]
    assert device.signal.silence() == 1
    device.done()
    assert device.follow() == [stopped("light")]
    assert device.follow(LOST) == [started("both")], "it has come anew"
    assert device.signal.silence() == 1
    assert device.signal.silence() == 0


@pytest.mark.parametrize(
    ("there", "settings", "pattern"),
    [
        (["otppi-alarm"], {}, "light"),
        (["otppi-buzzer"], {}, "sound"),
        (["otppi-alarm", "otppi-buzzer"], {"light": False}, "sound"),
        (["otppi-alarm", "otppi-buzzer"], {"buzzer": False}, "light"),
    ],
)
def test_what_is_there_and_switched_on(
    device: Device, there: list[str], settings: dict[str, bool], pattern: str
) -> None:
    for one in there:
        device.wire(one)
    assert device.follow(LOST, **settings) == [started(pattern)]
    assert device.follow(LOST, light=False, buzzer=False) == [stopped(pattern)]


def test_without_light_and_buzzer_nobody_is_asked(device: Device) -> None:
    (device.leds / "ACT").mkdir()
    assert device.follow(LOST) == []
    with pytest.raises(NotSupported, match="no light called otppi-alarm"):
        device.signal.test()


def test_elsewhere_the_lights_are_not_ours(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.wire("otppi-alarm")
    monkeypatch.delenv(IN_USE)
    assert device.follow(LOST) == []


def test_a_test_shows_both(device: Device) -> None:
    light = device.wire("otppi-alarm")
    assert device.signal.test() == ("otppi-alarm",)
    assert ("StartUnit", UNIT.format("test")) in device.units.calls
    until(lambda: (light / "trigger").read_text() == "timer\n")
    until(lambda: (light / "trigger").read_text() == "none\n")


def test_what_cannot_be_shown_is_told_and_not_tried_each_time(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.wire("otppi-alarm")
    device.units.behave(refuse="org.freedesktop.systemd1.NoSuchUnit")
    device.follow(LOST)
    assert "this device has no otppi-alarm@light.service" in caplog.text
    before = len(device.units.calls)
    device.follow(LOST)
    assert len(device.units.calls) == before


def test_alarms_show_themselves(device: Device, alarmed: object) -> None:
    """As the gateway looks at all that is watched."""
    assert callable(alarmed)
    here: Alarmed = alarmed()
    here.alarms.signal = device.signal
    device.wire("otppi-alarm")
    device.wire("otppi-buzzer")
    here.lose(here.modems[0])
    here.watch(11)
    assert here.call("alarms_signal") == {"there": ["otppi-alarm", "otppi-buzzer"], "beeps": True}
    assert here.call("alarms_silence") == {"silenced": 1}
    assert here.call("alarms_signal")["beeps"] is False
    device.done()
    here.bring_back(here.modems[0])
    here.watch(2)
    assert device.done()[-1] == stopped("light")
