"""The clock of the device: kept as the settings say, believed for a reason, and set by whoever may."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from otppi.api.errors import InvalidSettings, NotDone, NotSupported
from otppi.host.clock.device_clock import ClockTrust, DeviceClock
from otppi.host.clock.known_dates import newest_date
from otppi.host.clock.operations import read_time
from otppi.host.clock.settings import CLOCK
from otppi.host.core import load_plugins
from otppi.host.data_folder import DataFolder
from otppi.host.messages.clock import ClockWatch
from otppi.testing.clock import SystemClockDevice
from otppi.testing.waiting import PATIENCE, until
from otppi_clock.writer import SystemdClock

DAY = 86_400.0
DENIED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    one = DataFolder(tmp_path / "data", plugins=load_plugins(()))
    yield one
    one.close()


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemClockDevice]:
    (tmp_path / "d").mkdir()
    with SystemClockDevice(tmp_path / "d") as one:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", one.address)
        yield one


class Bench:
    """A device's clock: the wall clock is that of the device."""

    def __init__(self, data: DataFolder, device: SystemClockDevice, folder: Path, newest: float) -> None:
        self.data, self.device, self.newest = data, device, newest
        self.folder = folder
        self.clock = self.another()

    def wall(self) -> float:
        return time.time() + float(self.device["difference"])

    def trust(self, clock: DeviceClock | None = None) -> ClockTrust:
        """Return why the clock is believed now: a property is taken for what it was before."""
        return (clock or self.clock).trust

    def another(self) -> DeviceClock:
        """Return that of a gateway that has started anew."""
        writer = SystemdClock(self.device.root)
        return DeviceClock(self.data.config, writer, lambda: self.newest, self.folder, self.wall)

    def set(self, **values: object) -> None:
        kept = self.data.config.values_of(CLOCK.key)
        assert isinstance(kept, dict)
        self.data.config.update({CLOCK.key: {**kept, **values}})
        self.clock.configure([CLOCK.key])


@pytest.fixture
def bench(data: DataFolder, device: SystemClockDevice, tmp_path: Path) -> Bench:
    return Bench(data, device, tmp_path, time.time() - DAY)


@contextmanager
def running(clock: DeviceClock) -> Iterator[None]:
    clock.start()
    thread = Thread(target=clock.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        clock.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()


# -- as the settings say -----------------------------------------------------------------------------------------------


def test_a_change_of_the_settings_is_done_at_once(bench: Bench) -> None:
    with running(bench.clock):
        bench.set(time_zone="Asia/Jakarta", servers=["192.0.2.1", "ntp.example.net"])
        until(lambda: bench.device.time_zone == "Asia/Jakarta", "the zone is set")
        until(lambda: bench.device["servers"] == ["192.0.2.1", "ntp.example.net"], "the servers are told")
        bench.set(ask_servers=False)
        until(lambda: bench.device["asks"] is False, "nobody is asked")


def test_servers_that_were_forgotten_are_told_again(bench: Bench) -> None:
    bench.set(servers=["192.0.2.1"])
    bench.clock.refresh()
    writer = SystemdClock(bench.device.root)
    writer.set_asking(False)
    until(lambda: bench.device["asks"] is False, "timesyncd has ended")
    bench.clock.refresh()  # it is switched on again, since the settings say so
    until(lambda: bench.device["asks"], "timesyncd runs")
    assert bench.device["servers"] == []
    bench.clock.refresh()
    assert bench.device["servers"] == ["192.0.2.1"]


def test_without_a_zone_in_the_settings_that_of_the_device_stays(bench: Bench) -> None:
    SystemdClock(bench.device.root).set_time_zone("Asia/Makassar")
    bench.clock.refresh()
    assert bench.device.time_zone == "Asia/Makassar"


def test_what_the_device_does_not_do_is_told_and_not_tried_each_minute(bench: Bench) -> None:
    bench.set(time_zone="Asia/Jakarta")
    bench.device.behave(refuse={"SetTimezone": DENIED})
    bench.clock.refresh()
    (told,) = [one for one in bench.clock.warnings() if "settings" in one]
    assert told == "the clock is not kept as the settings say: this device does not let OTP-Pi set the clock (polkit)"
    bench.device.behave(refuse={})
    bench.clock.refresh()
    assert bench.device.time_zone == ""
    assert told in bench.clock.warnings()
    bench.set(time_zone="Asia/Jakarta")  # somebody saves it once more
    bench.clock.refresh()
    assert bench.device.time_zone == "Asia/Jakarta"
    assert told not in bench.clock.warnings()


class SlowToObey(SystemdClock):
    """A device that answers nothing in time, until it is less busy."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.tries, self.is_busy = 0, True

    def set_time_zone(self, name: str) -> None:
        self.tries += 1
        if self.is_busy:
            raise NotDone("systemd has not answered")
        super().set_time_zone(name)


def test_what_a_busy_device_did_not_do_is_tried_again_soon(bench: Bench) -> None:
    """A call that had no answer in time had left the clock as it was for an hour."""
    writer, minutes = SlowToObey(bench.device.root), 0
    clock = DeviceClock(
        bench.data.config, writer, lambda: bench.newest, bench.folder, bench.wall, lambda: minutes * 60.5
    )
    bench.set(time_zone="Asia/Jakarta")
    tried_at = []
    for minutes in range(180):
        before = writer.tries
        clock.refresh()
        if writer.tries > before:
            tried_at.append(minutes)
    assert tried_at == [0, 1, 3, 7, 15, 31, 63, 123]
    writer.is_busy, minutes = False, 240
    clock.refresh()
    assert bench.device.time_zone == "Asia/Jakarta"
    assert not [one for one in clock.warnings() if "settings" in one]


@pytest.mark.parametrize(
    "servers",
    [
        ["a b"],
        ["-a"],
        ["a/b"],
        ["a\nb"],
        ["x" * 254],
        ["a", "A"],
        [f"n{number}" for number in range(9)],
        ["[::1]"],
    ],
)
def test_what_cannot_be_a_server_is_refused(data: DataFolder, servers: list[str]) -> None:
    with pytest.raises(InvalidSettings):
        data.config.check({CLOCK.key: {"servers": servers}})


def test_what_can_be_a_server_is_taken(data: DataFolder) -> None:
    data.config.check({CLOCK.key: {"servers": ["0.id.pool.ntp.org", "192.0.2.1", "2001:db8::1", "fe80::", "ntp"]}})


# -- why it is believed ------------------------------------------------------------------------------------------------


def test_nobody_has_told_it(bench: Bench) -> None:
    assert bench.trust() is ClockTrust.UNKNOWN, "it has not been looked at yet"
    assert bench.clock.warnings() == []
    bench.clock.refresh()
    assert bench.trust() is ClockTrust.UNSET
    assert bench.clock.warnings() == [
        "the clock of this device may be wrong: nobody has told the device the time since it was switched on"
    ]
    assert bench.clock.samples() == {"clock_trusted": {"": 0.0}, "clock_synchronized": {"": 0.0}}


def test_a_server_has_told_it_also_where_it_is_gone_since(bench: Bench) -> None:
    bench.device.tell_time()
    bench.clock.refresh()
    assert bench.trust() is ClockTrust.SERVER
    long_ago = time.time() - 3 * DAY
    os.utime(bench.device.root / "run/systemd/timesync/synchronized", (long_ago, long_ago))
    bench.clock.refresh()
    assert bench.trust() is ClockTrust.SERVER
    assert bench.clock.samples()["clock_synchronized"] == {"": 0.0}
    assert bench.clock.warnings() == []


@pytest.mark.parametrize(
    ("battery", "trust"),
    [
        (0.0, ClockTrust.BATTERY),
        (-30.0, ClockTrust.BATTERY),
        (-300.0, ClockTrust.UNSET),
        (-2 * DAY, ClockTrust.UNSET),
        (40 * DAY, ClockTrust.UNSET),
    ],
)
def test_a_battery_s_clock_is_believed_where_it_can_be_right(bench: Bench, battery: float, trust: ClockTrust) -> None:
    bench.device.put_in_battery_clock(time.time() + battery)
    bench.clock.refresh()
    assert bench.trust() is trust


def test_a_battery_that_was_empty_is_not_believed(bench: Bench) -> None:
    bench.newest = time.time() + DAY
    bench.device.put_in_battery_clock(time.time())
    bench.clock.refresh()
    assert bench.trust() is ClockTrust.UNSET


def test_the_newest_date_is_that_of_program_system_or_settings(tmp_path: Path) -> None:
    for name, at in (("program", 100.0), ("settings.json", 300.0), ("system", 200.0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    dated = (tmp_path / "program", tmp_path / "system", tmp_path / "missing")
    assert newest_date(tmp_path, dated) == 300.0
    assert newest_date(tmp_path / "nothing", dated) == 200.0
    assert newest_date(tmp_path / "nothing", ()) == 0.0


# -- who sets it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [400 * DAY, -400 * DAY])
def test_who_is_logged_in_sets_it_forward_and_back(bench: Bench, ahead: float) -> None:
    bench.clock.refresh()
    bench.clock.set_time(time.time() + ahead)
    assert abs(bench.device["difference"] - ahead) < 5
    assert bench.trust() is ClockTrust.PERSON
    assert bench.clock.warnings() == []
    again = bench.another()  # a restart of the gateway does not forget it
    again.refresh()
    assert bench.trust(again) is ClockTrust.PERSON


def test_a_stranger_sets_it_once_and_it_is_not_believed(bench: Bench) -> None:
    bench.clock.refresh()
    bench.clock.set_by_stranger(time.time() + 40 * DAY)
    assert abs(bench.device["difference"] - 40 * DAY) < 5
    assert bench.trust() is ClockTrust.STRANGER
    assert "nobody was logged in" in bench.clock.warnings()[0]
    for ahead in (50 * DAY, 0.0):
        with pytest.raises(NotDone, match="knows the time already"):
            bench.clock.set_by_stranger(time.time() + ahead)
    assert abs(bench.device["difference"] - 40 * DAY) < 5
    bench.clock.set_time(time.time())
    assert bench.trust() is ClockTrust.PERSON


def test_of_strangers_at_the_same_time_one_sets_it(bench: Bench) -> None:
    bench.clock.refresh()
    bench.device.behave(stopping=0.5)  # it takes as long, and the others come meanwhile
    ahead: list[float] = []

    def offer(days: float) -> None:
        with suppress(NotDone):
            bench.clock.set_by_stranger(time.time() + days * DAY)
            ahead.append(days * DAY)

    threads = [Thread(target=offer, args=(days,), daemon=True) for days in (40, 30, 20, 10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert len(ahead) == 1
    assert abs(bench.device["difference"] - ahead[0]) < 5


@pytest.mark.parametrize("ahead", [-400 * DAY, -61.0, 0.0, 30.0, 11 * 365 * DAY])
def test_a_stranger_never_puts_it_back_nor_to_what_cannot_be(bench: Bench, ahead: float) -> None:
    bench.clock.refresh()
    with pytest.raises(NotDone, match="only put forward"):
        bench.clock.set_by_stranger(time.time() + ahead)
    assert bench.device["difference"] == 0
    assert bench.trust() is ClockTrust.UNSET


def test_a_stranger_never_puts_it_before_the_image_s_date(bench: Bench) -> None:
    bench.newest = time.time() + 10 * DAY
    bench.clock.refresh()
    with pytest.raises(NotDone, match="only put forward"):
        bench.clock.set_by_stranger(time.time() + 9 * DAY)
    bench.clock.set_by_stranger(time.time() + 11 * DAY)
    assert abs(bench.device["difference"] - 11 * DAY) < 5


@pytest.mark.parametrize("knows", ["server", "person", "battery", "nothing was looked at"])
def test_a_stranger_sets_nothing_where_the_time_is_known(bench: Bench, knows: str) -> None:
    if knows == "server":
        bench.device.tell_time()
    if knows == "battery":
        bench.device.put_in_battery_clock(time.time())
    if knows != "nothing was looked at":
        bench.clock.refresh()
    if knows == "person":
        bench.clock.set_time(time.time())
    with pytest.raises(NotDone, match="knows the time already"):
        bench.clock.set_by_stranger(time.time() + 40 * DAY)


def test_what_the_device_refuses_leaves_it_as_it_was(bench: Bench) -> None:
    bench.clock.refresh()
    bench.device.behave(refuse={"SetTime": DENIED})
    with pytest.raises(NotSupported, match="polkit"):
        bench.clock.set_time(time.time() + DAY)
    assert bench.trust() is ClockTrust.UNSET
    assert bench.device["difference"] == 0


def test_servers_are_asked_anew(bench: Bench) -> None:
    bench.clock.refresh()
    bench.clock.ask_now()
    assert bench.device["asks"]
    bench.set(ask_servers=False)
    with pytest.raises(NotDone, match="switch that on"):
        bench.clock.ask_now()


def test_where_it_is_not_the_gateway_s_nothing_is_set(data: DataFolder, tmp_path: Path) -> None:
    clock = DeviceClock(data.config, None, lambda: 0.0, tmp_path)
    assert not clock.has_thread
    clock.refresh()
    assert clock.trust is ClockTrust.UNKNOWN
    assert (clock.is_sure, clock.is_doubtful, clock.takes_from_strangers()) == (False, False, False)
    assert (clock.warnings(), clock.samples()) == ([], {})
    with pytest.raises(NotSupported, match="does not set the clock of this device"):
        clock.set_time(time.time())
    with pytest.raises(NotSupported, match="does not set the clock of this device"):
        clock.ask_now()
    with pytest.raises(NotDone):
        clock.set_by_stranger(time.time() + DAY)


# -- jumps -------------------------------------------------------------------------------------------------------------


def test_a_jump_that_put_it_right_is_no_reason_to_doubt_it() -> None:
    wall, monotonic = 1_800_000_000.0, 0.0
    sure = False
    watch = ClockWatch(lambda: wall, lambda: monotonic)
    watch.trust(lambda: sure)
    wall += DAY
    watch.look()
    assert "put forward by 86400 s" in watch.warnings()[0]
    sure = True
    assert watch.warnings() == []
    assert watch.suspicion() == ""
    wall = 1_000_000_000.0
    assert "it says 2001" in watch.warnings()[0]


# -- times that are written --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("time_zone")
def test_times_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "WIB-7")
    time.tzset()
    for told in (
        "@1796007600",
        "2026-11-30T10:00:00",
        "2026-11-30T03:00:00+00:00",
        "2026-11-30 10:00",
        " @1796007600.0 ",
    ):
        assert read_time(told) == 1_796_007_600, told


@pytest.mark.parametrize(
    "told",
    ["", "now", "1796007600", "@", "@-1", "@1e9", "@0", "@99999999999", "2101-01-01", "10:00", "@nan", "x" * 9999],
)
def test_what_is_no_time_is_refused(told: str) -> None:
    with pytest.raises(InvalidSettings):
        read_time(told)
