"""What every type of clock writer has to do, and a device with systemd's clock to do it to.

Each check takes a `ClockBench`: the writer, and the device that it writes to. A plugin's tests call them all: `for
check in CLOCK_CHECKS: check(bench)`, or one by one with `pytest.mark.parametrize`.
"""
# ruff: noqa: S101 - these are tests

import json
import signal
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from otppi.api.clock import ClockWriter
from otppi.api.errors import NotDone, NotSupported, OtpPiError
from otppi.kit.files import replace_whole
from otppi.testing.leaks import leaves_nothing
from otppi.testing.system_bus import ServicesOnBus
from otppi.testing.waiting import PATIENCE, until

ZONES: Final = ("UTC", "Asia/Jakarta", "Asia/Makassar")
_YEAR: Final = 365 * 86_400.0


class SystemClockDevice(ServicesOnBus):
    """A system bus of a test's own (a real dbus-daemon), with what stands in for timedated and timesyncd on it.

    Use it as a context: it ends them.

    Args:
        folder: Where its files are; its path is short, as that of a socket has to be.
        asks: Whether timesyncd runs.
        service: Whether the services are there; else only the bus is.

    Attributes:
        root: What the device has of `/etc`, `/run` and `/sys`.
    """

    def __init__(self, folder: Path, *, asks: bool = True, service: bool = True) -> None:
        super().__init__(folder)
        self.root = folder / "root"
        self._says: dict[str, Any] = {"asks": asks, "zones": ZONES, "silent": False, "refuse": {}, "message": []}
        with self._starting():
            for name in ("etc", "run/systemd/timesync", "sys/class/rtc"):
                (self.root / name).mkdir(parents=True)
            self.behave(stopping=0.05)
            if service:
                program = [sys.executable, "-m", "otppi.testing.clock_service", str(folder)]
                self._service = self._bus.started(program, _end)
                until((folder / "ready").exists, self._bus.log.read_text)

    def behave(self, **says: object) -> None:
        """Say how it answers from now on.

        Args:
            says: `refuse`: errors by the methods that answer with them; `silent`: it answers nothing more; `stopping`:
                seconds in which timesyncd ends; `message`: the four times of a server's last answer.
        """
        self._says |= says
        replace_whole(self._folder / "says.json", json.dumps(self._says).encode())

    def freeze(self) -> None:
        """Have it answer nothing any more."""
        self._service.send_signal(signal.SIGSTOP)

    def tell_time(self) -> None:
        """Have a server tell the time: timesyncd touches its file."""
        (self.root / "run/systemd/timesync/synchronized").touch()

    def put_in_battery_clock(self, unix: float) -> None:
        """Put in a clock with a battery, as the kernel shows it."""
        folder = self.root / "sys/class/rtc/rtc0"
        folder.mkdir(exist_ok=True)
        (folder / "since_epoch").write_text(f"{unix:.0f}\n")

    def __getitem__(self, name: str) -> Any:
        """Return how it is: `asks`, `servers`, and by how much its clock is ahead of this computer's (`difference`)."""
        known: Mapping[str, Any] = json.loads((self._folder / "clock.json").read_text())
        return known[name]

    @property
    def time_zone(self) -> str:
        """The zone that it has; empty where none was ever set."""
        link = self.root / "etc/localtime"
        return str(link.readlink()).partition("zoneinfo/")[2] if link.is_symlink() else ""


class ClockBench(ABC):
    """A clock writer and the device that it writes to. Subclass it in a plugin's tests."""

    @property
    @abstractmethod
    def writer(self) -> ClockWriter:
        """The writer under test."""

    @abstractmethod
    def difference(self) -> float:
        """Return by how many seconds the clock of the device is ahead of this computer's."""

    @abstractmethod
    def asks(self) -> bool:
        """Return whether the device asks servers for the time."""

    @abstractmethod
    def servers(self) -> Sequence[str]:
        """Return which servers the device was told to ask."""

    @abstractmethod
    def time_zone(self) -> str:
        """Return the zone of the device; one of its zones is `Asia/Jakarta`, another one `UTC`."""

    @abstractmethod
    def refuse(self, member: str) -> None:
        """Have the device let this user do nothing by the writer's method of this name."""

    @abstractmethod
    def freeze(self) -> None:
        """Have it answer nothing any more, so that a call ends soon all the same."""


def sets_the_time_though_servers_are_asked(bench: ClockBench) -> None:
    """Set it forward and back; whether servers are asked is then as before."""
    for asks in (True, False):
        bench.writer.set_asking(asks)
        until(lambda asks=asks: bench.asks() is asks, "it is set")  # type: ignore[misc]
        for ahead in (_YEAR, -_YEAR):
            bench.writer.set_time(time.time() + ahead)
            assert abs(bench.difference() - ahead) < 5
        until(lambda asks=asks: bench.asks() is asks, "it is as it was")  # type: ignore[misc]


def goes_on_asking_where_the_time_is_not_set(bench: ClockBench) -> None:
    """Expect that a time that is refused changes nothing."""
    bench.writer.set_asking(True)
    bench.refuse("set_time")
    with pytest.raises(OtpPiError):
        bench.writer.set_time(time.time() + _YEAR)
    assert abs(bench.difference()) < 5
    until(bench.asks, "servers are asked again")


def sets_the_time_zone(bench: ClockBench) -> None:
    """Set it; one that the device does not know is refused in words, and changes nothing."""
    bench.writer.set_time_zone("Asia/Jakarta")
    assert bench.time_zone() == "Asia/Jakarta"
    assert bench.writer.state().time_zone == "Asia/Jakarta"
    with pytest.raises(NotDone) as caught:
        bench.writer.set_time_zone("Asia/Atlantis")
    assert str(caught.value)
    assert bench.time_zone() == "Asia/Jakarta"
    bench.writer.set_time_zone("UTC")
    assert bench.time_zone() == "UTC"


def has_servers_asked_or_not(bench: ClockBench) -> None:
    """Switch it off and on, twice each: what is so already is no error."""
    for on in (False, False, True, True):
        bench.writer.set_asking(on)
        until(lambda on=on: bench.asks() is on, "it is switched")  # type: ignore[misc]
        assert bench.writer.state().asks_servers is on


def says_which_servers_are_asked(bench: ClockBench) -> None:
    """Set them, set others, and none; the state tells those."""
    bench.writer.set_asking(True)
    until(bench.asks, "servers are asked")
    for servers in (("ntp.example.net", "192.0.2.7"), ("2001:db8::7",), ()):
        bench.writer.set_servers(servers)
        assert tuple(bench.servers()) == servers
        assert bench.writer.state().servers == servers


def says_what_it_is_not_allowed(bench: ClockBench) -> None:
    """Each refusal is an error of the gateway's own, in words."""
    calls: Mapping[str, Callable[[], None]] = {
        "set_time": lambda: bench.writer.set_time(time.time()),
        "set_time_zone": lambda: bench.writer.set_time_zone("UTC"),
        "set_asking": lambda: bench.writer.set_asking(True),
        "set_servers": lambda: bench.writer.set_servers(()),
    }
    for name, call in calls.items():
        bench.refuse(name)
        with pytest.raises(NotSupported) as caught:
            call()
        assert str(caught.value)


def says_that_it_was_not_answered(bench: ClockBench) -> None:
    """One that answers nothing is told, and does not hold the caller for ever."""
    bench.freeze()
    with pytest.raises(NotDone):
        bench.writer.set_time_zone("UTC")


def takes_calls_of_any_thread(bench: ClockBench) -> None:
    """Ask and set on several threads at once; nothing is left behind."""
    bench.writer.state()  # loads what is loaded once
    told: list[object] = []

    def work() -> None:
        bench.writer.set_time_zone("Asia/Jakarta")
        told.append(bench.writer.state())

    with leaves_nothing():
        threads = [threading.Thread(target=work, daemon=True) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(PATIENCE)
    assert len(told) == len(threads)


CLOCK_CHECKS: tuple[Callable[[ClockBench], None], ...] = (
    sets_the_time_though_servers_are_asked,
    goes_on_asking_where_the_time_is_not_set,
    sets_the_time_zone,
    has_servers_asked_or_not,
    says_which_servers_are_asked,
    says_what_it_is_not_allowed,
    says_that_it_was_not_answered,
    takes_calls_of_any_thread,
)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(PATIENCE)
