"""What every type of mobile internet has to do: a plugin's tests call it with connections of their own.

Each check takes an `InternetBench`: what makes a connection of the type, and what stands at its other end. A test calls
them all: `for check in INTERNET_CHECKS: check(bench)`, or one by one with `pytest.mark.parametrize`.
"""
# ruff: noqa: S101 - these are tests

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from otppi.api.internet import Dialling, Internet, InternetContext, InternetDown, InternetState, InternetType
from otppi.testing.leaks import leaves_nothing
from otppi.testing.logs import all_log_lines
from otppi.testing.waiting import PATIENCE, until

SECRET = "m4de-up-s3cret"  # noqa: S105 - it opens nothing
_CAUSE = "the modem is away"
_STATES = set(InternetState)


class InternetBench(ABC):
    """One type of mobile internet with what stands at its other end. Subclass it in a plugin's tests.

    Args:
        folder: An empty folder, which plays the RAM disk.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    @abstractmethod
    def internet_type(self) -> InternetType:
        """The type under test."""

    @abstractmethod
    def dialling(self) -> Dialling:
        """Return how the modem at the other end is dialled; password and APN are made up."""

    def create(self, context: InternetContext) -> Internet:
        """Make a connection; for those that need a stand-in for a program of the system."""
        return self.internet_type.create(context)

    def refuse(self) -> None:
        """Let the network refuse the data connection."""
        pytest.skip("this one cannot be refused")

    def hang_up(self) -> None:
        """End the connection at its other end."""
        pytest.skip("this one cannot be ended from there")

    def make(self, dialling: Callable[[], Dialling] | None = None) -> Internet:
        """Make a connection with the type's default settings."""
        settings = self.internet_type.section.defaults()
        told = dialling or (lambda: replace(self.dialling(), username="somebody", password=SECRET))
        return self.create(InternetContext("m0", settings, told, self.folder))


@contextmanager
def running(internet: Internet) -> Iterator[Internet]:
    """Run a connection on a thread of its own, and stop it; `run` has to end then, and to have raised nothing."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            internet.run()
        except BaseException as error:  # noqa: BLE001 - it is told below
            raised.append(error)

    thread = threading.Thread(target=run, name="internet under test", daemon=True)
    thread.start()
    try:
        yield internet
    finally:
        internet.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "stop ends run"
        assert raised == []


def connects_and_hangs_up(bench: InternetBench) -> None:
    """Expect that it connects, says so with its port, and is stopped when it was stopped."""
    began = time.time()
    internet = bench.make()
    assert internet.status().state is InternetState.STOPPED
    with running(internet):
        until(lambda: internet.status().state is InternetState.CONNECTED, "it is connected")
        status = internet.status()
        assert status.port == bench.dialling().port
        assert status.attempts == 1
        assert began - 1 <= status.since <= time.time()
        assert status.detail == "", "there is nothing to complain about"
    assert internet.status().state is InternetState.STOPPED


def stops_at_any_time(bench: InternetBench) -> None:
    """Stop it twice, while it dials, and before it runs: that is safe, and it does not connect any more."""
    internet = bench.make()
    internet.stop()
    internet.stop()
    thread = threading.Thread(target=internet.run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "what was stopped before does not run"
    with running(bench.make()) as other:
        until(lambda: other.status().attempts == 1, "it dials")
        other.stop()


def leaves_nothing_behind(bench: InternetBench) -> None:
    """Afterwards there is no thread, no descriptor, no process, and no file with a password."""
    with leaves_nothing(), running(bench.make()) as internet:
        until(lambda: internet.status().state is InternetState.CONNECTED, "it is connected")
    assert [path for path in bench.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []


def says_why_it_waits(bench: InternetBench) -> None:
    """Where it is not known how to dial it waits, says why in the words that it was given, and asks anew."""
    asked: list[float] = []

    def unknown() -> Dialling:
        asked.append(time.monotonic())
        raise InternetDown(_CAUSE)

    with running(bench.make(unknown)) as internet:
        until(lambda: internet.status().state is InternetState.WAITING, "it waits")
        assert internet.status().detail == _CAUSE
        until(lambda: len(asked) >= 2, "it asks anew for each attempt")
        assert internet.status().attempts >= 2


def says_that_it_was_refused(bench: InternetBench) -> None:
    """Where the network refuses it waits, and says why."""
    bench.refuse()
    with running(bench.make()) as internet:
        until(lambda: internet.status().state is InternetState.WAITING, "it waits")
        assert internet.status().detail
        assert SECRET not in internet.status().detail


def connects_again(bench: InternetBench) -> None:
    """Expect that a connection that ended is made again by itself."""
    with running(bench.make()) as internet:
        until(lambda: internet.status().state is InternetState.CONNECTED, "it is connected")
        bench.hang_up()
        until(lambda: internet.status().attempts >= 2, "it dials again")
        until(lambda: internet.status().state is InternetState.CONNECTED, "it is connected again")


def tells_its_states_to_any_thread(bench: InternetBench) -> None:
    """Ask for the status at any time: it is always a whole one."""
    told: list[InternetState] = []
    with running(bench.make()) as internet:

        def connected() -> bool:
            told.append(internet.status().state)
            return told[-1] is InternetState.CONNECTED

        until(connected, "it is connected")
    assert set(told) <= _STATES


def keeps_its_secrets(bench: InternetBench) -> None:
    """Expect the password at the access point in no log line, status or object that is shown."""
    with all_log_lines() as noted, running(bench.make()) as internet:
        until(lambda: internet.status().state is InternetState.CONNECTED, "it is connected")
        noted += [repr(internet), repr(internet.status())]
    assert not [line for line in noted if SECRET in line]


INTERNET_CHECKS: tuple[Callable[[InternetBench], None], ...] = (
    connects_and_hangs_up,
    stops_at_any_time,
    leaves_nothing_behind,
    says_why_it_waits,
    says_that_it_was_refused,
    connects_again,
    tells_its_states_to_any_thread,
    keeps_its_secrets,
)
