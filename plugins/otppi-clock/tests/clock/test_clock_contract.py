"""The contract of clock writers, and what is this one's own, on a real bus."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from otppi.api.clock import ClockWriter
from otppi.api.errors import NotDone, NotSupported
from otppi.testing.clock import CLOCK_CHECKS, ClockBench, SystemClockDevice
from otppi_clock import bus, plugin
from otppi_clock.writer import SystemdClock

DENIED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
MEMBERS = {
    "set_time": "SetTime",
    "set_time_zone": "SetTimezone",
    "set_asking": "SetNTP",
    "set_servers": "SetRuntimeNTPServers",
}


class Bench(ClockBench):
    def __init__(self, device: SystemClockDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = device
        self._monkeypatch = monkeypatch
        self._writer = SystemdClock(device.root)

    @property
    def writer(self) -> ClockWriter:
        return self._writer

    def difference(self) -> float:
        return float(self.device["difference"])

    def asks(self) -> bool:
        return bool(self.device["asks"])

    def servers(self) -> Sequence[str]:
        return list(self.device["servers"])

    def time_zone(self) -> str:
        return self.device.time_zone

    def refuse(self, member: str) -> None:
        self.device.behave(refuse={MEMBERS[member]: DENIED})

    def freeze(self) -> None:
        self._monkeypatch.setattr(bus, "_TIMEOUT", 0.3)
        self.device.behave(silent=True)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemClockDevice]:
    with SystemClockDevice(tmp_path) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        yield one


@pytest.mark.parametrize("check", CLOCK_CHECKS, ids=lambda check: check.__name__)
def test_the_contract(
    check: Callable[[ClockBench], None], device: SystemClockDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(Bench(device, monkeypatch))


def test_what_the_plugin_registers() -> None:
    (one,) = plugin.otppi_clock_writers()
    assert one.key == "systemd"
    assert isinstance(one.create(), SystemdClock)


def test_the_state_of_a_device_that_nobody_has_told_anything(device: SystemClockDevice) -> None:
    state = SystemdClock(device.root).state()
    assert (state.synchronized, state.asks_servers, state.time_zone) == (False, True, "UTC")
    assert (state.battery_clock, state.servers, state.offset) == (None, (), None)
    assert state.server == "0.debian.pool.ntp.org"


def test_a_server_s_answer_of_long_ago_does_not_count(device: SystemClockDevice) -> None:
    device.tell_time()
    assert SystemdClock(device.root).state().synchronized
    long_ago = time.time() - 7201
    os.utime(device.root / "run/systemd/timesync/synchronized", (long_ago, long_ago))
    state = SystemdClock(device.root).state()
    assert (state.synchronized, state.was_told) == (False, True)


def test_by_how_much_the_clock_was_ahead_of_the_server_s(device: SystemClockDevice) -> None:
    device.behave(message=[1000.0, 997.5, 997.75, 1000.75])  # 0.5 s on the way, and 2.75 s ahead
    assert SystemdClock(device.root).state().offset == pytest.approx(2.75)


def test_a_clock_with_a_battery(device: SystemClockDevice) -> None:
    device.put_in_battery_clock(1_900_000_000)
    assert SystemdClock(device.root).state().battery_clock == 1_900_000_000
    (device.root / "sys/class/rtc/rtc0/since_epoch").write_text("")
    assert SystemdClock(device.root).state().battery_clock is None


def test_a_zone_that_is_a_copy_of_a_table_has_no_name(device: SystemClockDevice) -> None:
    (device.root / "etc/localtime").write_bytes(b"TZif2")
    assert SystemdClock(device.root).state().time_zone == ""


def test_what_it_took_until_servers_were_not_asked_is_added(device: SystemClockDevice) -> None:
    device.behave(stopping=1.0)
    SystemdClock(device.root).set_time(time.time() + 1000)
    assert abs(device["difference"] - 1000) < 0.5


def test_without_timesyncd_no_servers_are_told(device: SystemClockDevice) -> None:
    clock = SystemdClock(device.root)
    clock.set_asking(False)
    with pytest.raises(NotDone, match="timesyncd does not run"):
        _wait_and_set(clock)


def _wait_and_set(clock: SystemdClock) -> None:
    deadline = time.monotonic() + 60
    while clock.state().asks_servers and time.monotonic() < deadline:
        pass
    clock.set_servers(["192.0.2.1"])


def test_where_systemd_does_not_run_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SystemClockDevice(tmp_path, service=False) as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        clock = SystemdClock(one.root)
        assert not clock.state().asks_servers
        with pytest.raises(NotSupported, match="does not run on this device"):
            clock.set_time(time.time())


def test_where_there_is_no_bus_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    with pytest.raises(NotSupported, match="has no system bus"):
        SystemdClock(tmp_path).state()


def test_without_python_s_dbus_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbus", None)
    with pytest.raises(NotSupported, match="python3-dbus"):
        SystemdClock(tmp_path).state()
