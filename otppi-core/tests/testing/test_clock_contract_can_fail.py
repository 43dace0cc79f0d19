"""The contract of clock writers finds what it is for: each check fails for a writer that breaks its promise."""

import time
from collections.abc import Callable, Sequence

import pytest

from otppi.api.clock import ClockState, ClockWriter
from otppi.api.errors import NotDone, NotSupported
from otppi.testing import clock as suite
from otppi.testing.clock import CLOCK_CHECKS, ClockBench
from otppi.testing.waiting import until


class Pretended(ClockWriter):
    """A clock in RAM that does what it should."""

    def __init__(self) -> None:
        self.difference, self.asks, self.zone = 0.0, True, "UTC"
        self.servers: tuple[str, ...] = ()
        self.refused = ""
        self.frozen = False

    def state(self) -> ClockState:
        return ClockState(False, False, self.asks, self.zone, servers=self.servers)

    def set_time(self, unix: float) -> None:
        self.look("set_time")
        self.difference = unix - time.time()

    def set_time_zone(self, name: str) -> None:
        self.look("set_time_zone")
        if name not in suite.ZONES:
            raise NotDone("there is no such zone")
        self.zone = name

    def set_asking(self, on: bool) -> None:
        self.look("set_asking")
        self.asks = on

    def set_servers(self, servers: Sequence[str]) -> None:
        self.look("set_servers")
        self.servers = tuple(servers)

    def look(self, member: str) -> None:
        if self.frozen:
            raise NotDone("it has not answered")
        if self.refused == member:
            raise NotSupported("it may not")


class PretendedBench(ClockBench):
    def __init__(self, writer: Pretended) -> None:
        self._writer = writer

    @property
    def writer(self) -> ClockWriter:
        return self._writer

    def difference(self) -> float:
        return self._writer.difference

    def asks(self) -> bool:
        return self._writer.asks

    def servers(self) -> Sequence[str]:
        return self._writer.servers

    def time_zone(self) -> str:
        return self._writer.zone

    def refuse(self, member: str) -> None:
        self._writer.refused = member

    def freeze(self) -> None:
        self._writer.frozen = True


class LeavesServersUnasked(Pretended):
    def set_time(self, unix: float) -> None:
        super().set_time(unix)
        self.asks = False


class SetsWhatIsRefused(Pretended):
    def set_time(self, unix: float) -> None:
        self.difference = unix - time.time()
        self.look("set_time")


class TakesAnyZone(Pretended):
    def set_time_zone(self, name: str) -> None:
        self.zone = name


class NeverAsks(Pretended):
    def set_asking(self, on: bool) -> None:
        self.look("set_asking")
        self.asks = False


class ForgetsServers(Pretended):
    def state(self) -> ClockState:
        return ClockState(False, False, self.asks, self.zone)


class SwallowsRefusals(Pretended):
    def look(self, member: str) -> None:
        if self.frozen:
            raise NotDone("it has not answered")


class SwallowsSilence(Pretended):
    def look(self, member: str) -> None:
        if self.refused == member:
            raise NotSupported("it may not")


class LosesCalls(Pretended):
    def state(self) -> ClockState:
        if self.zone == "Asia/Jakarta":
            raise NotDone("it is busy")
        return super().state()


BROKEN: list[tuple[str, type[Pretended]]] = [
    ("sets_the_time_though_servers_are_asked", LeavesServersUnasked),
    ("goes_on_asking_where_the_time_is_not_set", SetsWhatIsRefused),
    ("sets_the_time_zone", TakesAnyZone),
    ("has_servers_asked_or_not", NeverAsks),
    ("says_which_servers_are_asked", ForgetsServers),
    ("says_what_it_is_not_allowed", SwallowsRefusals),
    ("says_that_it_was_not_answered", SwallowsSilence),
    ("takes_calls_of_any_thread", LosesCalls),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise that is broken is not waited for as long as one that is kept on a busy machine."""
    monkeypatch.setattr(suite, "until", lambda condition, what="": until(condition, what, 1.0))


@pytest.mark.parametrize("check", CLOCK_CHECKS, ids=lambda check: check.__name__)
def test_a_good_writer_passes(check: Callable[[ClockBench], None]) -> None:
    check(PretendedBench(Pretended()))


def test_every_check_is_shown_to_fail() -> None:
    assert {name for name, _ in BROKEN} == {check.__name__ for check in CLOCK_CHECKS}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("name", "kind"), BROKEN, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_broken_promise_is_found(name: str, kind: type[Pretended]) -> None:
    with pytest.raises((AssertionError, NotDone, NotSupported, pytest.fail.Exception)):
        getattr(suite, name)(PretendedBench(kind()))
